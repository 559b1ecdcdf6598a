//! The command line of `kind-node dns`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use hickory_proto::rr::Name;

use super::Error;

/// What the command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Cluster domain, where no Corefile names another.
    pub(crate) domain: Name,
    /// Where to answer.
    pub(crate) listen: SocketAddr,
    /// Where the page `/health` is.
    pub(crate) health: SocketAddr,
    /// Where the page `/ready` is.
    pub(crate) ready: SocketAddr,
    /// CoreDNS's configuration in a file, in the place of that in the cluster.
    pub(crate) corefile: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        // Serves IPv4 too, where the kernel has both.
        let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let mut domain = Name::root();
        for label in ["local", "cluster"] {
            domain = domain.prepend_label(label).unwrap_or(domain);
        }
        Self {
            domain,
            listen: (any, 53).into(),
            health: (any, 8080).into(),
            ready: (any, 8181).into(),
            corefile: None,
        }
    }
}

impl Options {
    /// Reads arguments of the form `--option=value`, and CoreDNS's `-conf FILE`.
    pub(crate) fn parse_arguments(arguments: &[String]) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "-conf" {
                let file = arguments.next().ok_or(wrong_value("-conf", "a path"))?;
                options.corefile = Some(file.into());
                continue;
            }
            let (option, value) = argument.split_once('=').unwrap_or((argument, ""));
            match option {
                "--domain" => options.domain = parse_domain(value)?,
                "--listen" => options.listen = parse_address("--listen", value)?,
                "--health" => options.health = parse_address("--health", value)?,
                "--ready" => options.ready = parse_address("--ready", value)?,
                _ => return Err(Error::Option(argument.clone())),
            }
        }
        Ok(options)
    }
}

/// Reads the cluster domain.
fn parse_domain(value: &str) -> Result<Name, Error> {
    let expected = || wrong_value("--domain", "a domain name");
    let mut name = Name::from_ascii(value).map_err(|_| expected())?;
    name.set_fqdn(true);
    if name.is_root() {
        // The whole world is not ours.
        return Err(expected());
    }
    Ok(name.to_lowercase())
}

/// Reads an address with its port.
fn parse_address(option: &'static str, value: &str) -> Result<SocketAddr, Error> {
    SocketAddr::from_str(value).map_err(|_| wrong_value(option, "an address with a port"))
}

/// An option whose value does not fit.
fn wrong_value(option: &'static str, expected: &'static str) -> Error {
    Error::Value { option, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Options::parse_arguments(&arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_a_cluster() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.domain.to_ascii(), "cluster.local.");
        assert_eq!(options.listen.to_string(), "[::]:53");
        assert_eq!(options.health.port(), 8080);
        assert_eq!(options.ready.port(), 8181);
    }

    #[test]
    fn values_are_read() {
        let options = parse(&["--domain=Corp.Example", "--listen=127.0.0.1:5353"]).unwrap();
        assert_eq!(options.domain.to_ascii(), "corp.example.");
        assert_eq!(options.listen.to_string(), "127.0.0.1:5353");
    }

    #[test]
    fn coredns_options_are_read() {
        let options = parse(&["-conf", "/etc/coredns/Corefile"]).unwrap();
        let file = options.corefile.as_deref();
        assert_eq!(file, Some("/etc/coredns/Corefile".as_ref()));
        assert_eq!(parse(&["-conf"]).unwrap_err(), "option -conf needs a path");
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (argument, expected) in [
            ("--domain=", "option --domain needs a domain name"),
            ("--domain=.", "option --domain needs a domain name"),
            (
                "--listen=53",
                "option --listen needs an address with a port",
            ),
            ("--metrics", "unknown option \"--metrics\""),
        ] {
            assert_eq!(parse(&[argument]).unwrap_err(), expected);
        }
    }
}
