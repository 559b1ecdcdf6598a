//! The servers of a `resolv.conf`.

use std::net::{IpAddr, SocketAddr};

/// Port of name servers in a `resolv.conf`, which cannot name another.
const PORT: u16 = 53;

/// Returns the name servers in order, each once. A link-local address with an interface name is
/// left out: that interface is the node's, not the pod's.
pub(crate) fn parse_servers(text: &str) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("nameserver") {
            continue;
        }
        let address: Option<IpAddr> = words.next().and_then(|word| word.parse().ok());
        if let Some(address) = address {
            let server = SocketAddr::new(address, PORT);
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_texts() {
        for (text, expected) in [
            ("", &[][..]),
            ("nameserver 10.0.0.2\n", &["10.0.0.2:53"]),
            (
                "# nameserver 1.1.1.1\n; nameserver 1.1.1.2\nsearch example.com\n\
                 nameserver 10.0.0.2\nnameserver\tfd00::2 # second\nnameserver 10.0.0.2\n\
                 options ndots:5\n",
                &["10.0.0.2:53", "[fd00::2]:53"],
            ),
            (
                "nameserver fe80::1%eth0\nnameserver\nnameserver nonsense\n",
                &[],
            ),
            ("nameserver 127.0.0.53", &["127.0.0.53:53"]),
        ] {
            let expected: Vec<SocketAddr> =
                expected.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(parse_servers(text), expected, "{text:?}");
        }
    }
}
