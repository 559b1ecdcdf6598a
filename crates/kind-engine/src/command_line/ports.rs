//! Ports that a node publishes: choosing free ones, and saying it to the engine.

use std::net::{IpAddr, SocketAddr, TcpListener};

use super::Flavor;
use crate::{Error, Port};

/// The values of `--publish`. A host port of 0 becomes one that is free here now and stays: the engine
/// would choose another at each start.
///
/// # Errors
/// If no port of that address can be had.
pub(super) fn publish_arguments(flavor: Flavor, ports: &[Port]) -> Result<Vec<String>, Error> {
    // All stay bound until the last is chosen, so that none is chosen twice.
    let mut held = Vec::new();
    let mut values = Vec::new();
    for port in ports {
        let host = match (port.host, port.changing) {
            (0, true) => flavor.any_port().to_owned(),
            (0, false) => {
                let (listener, number) = free_port(port.listen)?;
                held.push(listener);
                number.to_string()
            }
            (number, _) => number.to_string(),
        };
        let address = match port.listen {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let protocol = flavor.protocol(port.protocol);
        values.push(format!("{address}:{host}:{}/{protocol}", port.container));
    }
    Ok(values)
}

fn free_port(listen: IpAddr) -> Result<(TcpListener, u16), Error> {
    let bound = TcpListener::bind(SocketAddr::new(listen, 0));
    bound
        .and_then(|listener| {
            let number = listener.local_addr()?.port();
            Ok((listener, number))
        })
        .map_err(Error::io("failed to get random host port for port mapping"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    fn port(listen: &str, host: u16, protocol: Protocol) -> Port {
        Port::new(listen.parse().unwrap(), host, 80, protocol)
    }

    #[test]
    fn each_engine_has_its_spelling() {
        let mut any = port("::1", 0, Protocol::Udp);
        any.changing = true;
        let ports = [port("127.0.0.1", 8080, Protocol::Tcp), any];
        for (flavor, values) in [
            (Flavor::Docker, ["127.0.0.1:8080:80/TCP", "[::1]:0:80/UDP"]),
            (Flavor::Podman, ["127.0.0.1:8080:80/tcp", "[::1]::80/udp"]),
        ] {
            assert_eq!(publish_arguments(flavor, &ports).unwrap(), values);
        }
    }

    #[test]
    fn a_port_that_may_be_any_is_chosen_once_for_all() {
        let ports = vec![port("127.0.0.1", 0, Protocol::Tcp); 20];
        let mut values = publish_arguments(Flavor::Docker, &ports).unwrap();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 20);
        assert!(values.iter().all(|value| !value.contains(":0:")));
    }

    #[test]
    fn an_address_that_is_not_ours_is_an_error() {
        let error = publish_arguments(Flavor::Docker, &[port("203.0.113.1", 0, Protocol::Tcp)])
            .unwrap_err();
        let text = error.to_string();
        assert_eq!(text, "failed to get random host port for port mapping");
    }
}
