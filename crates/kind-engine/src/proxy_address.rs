//! A proxy's address as it stands in a variable.

use std::net::{IpAddr, SocketAddr};

/// Kinds of proxies that Go's programs reach (`net/http`), and so containerd and the kubelet.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// The parts of a proxy's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyAddress<'a> {
    /// The scheme and the login, up to the host.
    before: &'a str,
    /// A name or an address, without brackets.
    host: &'a str,
    port: Option<u16>,
    /// What follows.
    after: &'a str,
}

impl<'a> ProxyAddress<'a> {
    /// Reads a variable's value.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(value: &'a str) -> Result<Self, &'static str> {
        if value.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err("there is a blank in it");
        }
        let start = match value.split_once("://") {
            Some((scheme, _)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
                scheme.len() + "://".len()
            }
            Some(_) => return Err("it is neither of http, https nor socks5"),
            None if begins_with_half_a_scheme(value) => {
                return Err("its scheme is not followed by ://");
            }
            None => 0,
        };
        let end = value[start..].find(['/', '?', '#']);
        let end = end.map_or(value.len(), |length| start + length);
        let start = value[start..end]
            .rfind('@')
            .map_or(start, |login| start + login + 1);
        let (host, port) = split_port(&value[start..end])?;
        if host.is_empty() {
            return Err("it names no host");
        }
        Ok(Self {
            before: &value[..start],
            host,
            port,
            after: &value[end..],
        })
    }

    /// The host and its port, without a login.
    pub fn place(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.to_owned()
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// The port that programs use.
    pub fn port(&self) -> u16 {
        let scheme = self.before.split(':').next().unwrap_or_default();
        let usual = match scheme.to_ascii_lowercase().as_str() {
            "https" => 443,
            "socks5" | "socks5h" => 1080,
            _ => 80,
        };
        self.port.unwrap_or(usual)
    }

    /// Where it is, if it is named by an address.
    pub fn socket(&self) -> Option<SocketAddr> {
        let address = self.host.parse().ok()?;
        Some(SocketAddr::new(address, self.port()))
    }

    /// Whether it is whatever program's own machine that reads it.
    pub fn is_loopback(&self) -> bool {
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        let address = name.parse::<IpAddr>().ok();
        let address = address.map(|address| address.to_canonical());
        name == "localhost"
            || name.ends_with(".localhost")
            || address.is_some_and(|address| address.is_loopback() || address.is_unspecified())
    }

    /// The same with another host.
    pub fn at_host(&self, address: IpAddr) -> String {
        let host = address.to_string();
        let there = ProxyAddress {
            before: self.before,
            host: &host,
            port: self.port,
            after: self.after,
        };
        format!("{}{}{}", self.before, there.place(), self.after)
    }
}

/// As in `http//proxy:80` or `http:/proxy`, whose host would be called `http`.
fn begins_with_half_a_scheme(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let mut rests = SCHEMES
        .iter()
        .filter_map(|scheme| value.strip_prefix(scheme));
    rests.any(|rest| rest.starts_with('/') || rest.starts_with(":/"))
}

/// Splits `HOST`, `HOST:PORT` or the same with an IPv6 address in brackets.
fn split_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("a bracket is not closed")?;
            let port = after.strip_prefix(':');
            if port.is_none() && !after.is_empty() {
                return Err("there is something between its host and its port");
            }
            (host, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let Some(port) = port else {
        return Ok((host, None));
    };
    match port.parse() {
        Ok(number @ 1..) => Ok((host, Some(number))),
        _ => Err("its port is no number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_go_reads_them() {
        for (value, place, port, is_loopback) in [
            ("http://proxy:3128", "proxy:3128", 3128, false),
            ("proxy.corp:8080/", "proxy.corp:8080", 8080, false),
            ("HTTPS://me:p@ss@proxy/", "proxy", 443, false),
            ("socks5://[fd00::1]", "[fd00::1]", 1080, false),
            ("http://127.1.2.3:3128", "127.1.2.3:3128", 3128, true),
            ("localhost:3128", "localhost:3128", 3128, true),
            ("http://LOCALHOST.:1", "LOCALHOST.:1", 1, true),
            ("http://[::1]:3128/", "[::1]:3128", 3128, true),
            (
                "http://[::ffff:127.0.0.1]:1",
                "[::ffff:127.0.0.1]:1",
                1,
                true,
            ),
            ("0.0.0.0:1", "0.0.0.0:1", 1, true),
            (
                "http://127.0.0.1.example.com",
                "127.0.0.1.example.com",
                80,
                false,
            ),
        ] {
            let address = ProxyAddress::parse(value).unwrap();
            assert_eq!(address.place(), place);
            assert_eq!(address.port(), port, "{value}");
            assert_eq!(address.is_loopback(), is_loopback, "{value}");
        }
    }

    #[test]
    fn nonsense_is_named() {
        for (value, why) in [
            ("not a proxy", "blank"),
            ("http://", "no host"),
            (":3128", "no host"),
            ("http://me@:3128", "no host"),
            ("ftp://proxy", "neither"),
            ("http:/proxy:3128", "://"),
            ("http//proxy:80", "://"),
            ("HTTPS//proxy", "://"),
            ("http://proxy:http", "port"),
            ("proxy:0", "port"),
            ("proxy:65536", "port"),
            ("http://[::1", "bracket"),
            ("http://[::1]x", "between"),
        ] {
            let told = ProxyAddress::parse(value).unwrap_err();
            assert!(told.contains(why), "{value}: {told}");
        }
    }

    #[test]
    fn another_host_keeps_the_rest() {
        let address = ProxyAddress::parse("http://me:secret@127.0.0.1:3128/x").unwrap();
        let v4 = address.at_host([172, 18, 0, 1].into());
        assert_eq!(v4, "http://me:secret@172.18.0.1:3128/x");
        let v6 = ProxyAddress::parse("localhost").unwrap();
        assert_eq!(v6.at_host("fc00::1".parse().unwrap()), "[fc00::1]");
        let socket = |text| ProxyAddress::parse(text).unwrap().socket();
        assert_eq!(socket(&v4), "172.18.0.1:3128".parse().ok());
        assert_eq!(socket("https://[fc00::1]/"), "[fc00::1]:443".parse().ok());
        assert_eq!(socket("http://proxy:3128"), None);
    }
}
