//! Keys of server blocks, and the directives that are about the server: health, ready, prometheus and the like.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::rr::Name;
use ipnet::IpNet;
use kind_node::corefile::Directive;

use super::arguments::{self, DirectiveError, Lines, invalid_directive, not_supported};
use super::zones;

/// Port of a server block that names none.
const DNS_PORT: u16 = 53;

/// Where metrics are, where nothing is said.
const METRICS_ADDRESS: &str = "localhost:9153";

/// The port of a page that the kubelet looks at.
pub(crate) const HEALTH_PORT: u16 = 8080;
/// Where `ready` answers if its line names no address.
pub(crate) const READY_PORT: u16 = 8181;

/// Reads a key such as `example.org:1053` or `dns://10.0.0.0/24`: zones and a port.
pub(crate) fn parse_server_key(text: &str) -> Result<(Vec<Name>, u16), DirectiveError> {
    let text = match text.split_once("://") {
        None => text,
        Some(("dns", rest)) => rest,
        Some((scheme @ ("tls" | "https" | "https3" | "quic" | "grpc"), _)) => {
            return not_supported(format!("names are not served over {scheme}"));
        }
        Some((scheme, _)) => return invalid_directive(format!("unknown scheme {scheme:?}")),
    };
    let (zone, port) = match text.rsplit_once(':') {
        Some((zone, port)) if text.parse::<IpNet>().is_err() => {
            (zone, arguments::parse_number(port)?)
        }
        _ => (text, DNS_PORT),
    };
    // `:53` alone is the root.
    let zone = if zone.is_empty() { "." } else { zone };
    match zones::read_zones(zone) {
        Some(zones) if port != 0 => Ok((zones, port)),
        _ => invalid_directive(format!("{text:?} is not a zone with a port")),
    }
}

/// Reads `health [ADDRESS] { lameduck DURATION }`: the time between the signal to end and the end.
pub(crate) fn read_health(
    directive: &Directive,
    lines: &mut Lines<'_>,
) -> Result<Option<Duration>, DirectiveError> {
    check_page_port(directive, HEALTH_PORT)?;
    let mut lameduck = None;
    lines.read_each(directive, |line| match line.name.as_str() {
        "lameduck" => {
            lameduck = Some(arguments::parse_duration(arguments::one_argument(line)?)?);
            Ok(())
        }
        _ => invalid_directive("unknown property"),
    });
    Ok(lameduck)
}

/// Reads `ready [ADDRESS] { monitor … }`.
pub(crate) fn read_ready(
    directive: &Directive,
    lines: &mut Lines<'_>,
) -> Result<(), DirectiveError> {
    check_page_port(directive, READY_PORT)?;
    lines.read_each(directive, |line| match line.name.as_str() {
        "monitor" => arguments::one_argument(line).map(drop),
        _ => invalid_directive("unknown property"),
    });
    Ok(())
}

/// Refuses another port than that at which the kubelet looks.
fn check_page_port(directive: &Directive, port: u16) -> Result<(), DirectiveError> {
    match arguments::optional_argument(directive)? {
        Some(address) if parse_listen_address(address)?.port() != port => not_supported(format!(
            "the page stays at port {port}, where the kubelet looks at it"
        )),
        _ => Ok(()),
    }
}

/// Reads `prometheus [ADDRESS]`.
pub(crate) fn read_metrics(
    directive: &Directive,
    lines: &mut Lines<'_>,
) -> Result<SocketAddr, DirectiveError> {
    lines.read_each(directive, |_| {
        not_supported("there are no metrics of Go's runtime")
    });
    parse_listen_address(arguments::optional_argument(directive)?.unwrap_or(METRICS_ADDRESS))
}

/// Reads an address to listen on; without a host, on all.
fn parse_listen_address(text: &str) -> Result<SocketAddr, DirectiveError> {
    let wrong = || DirectiveError::Invalid(format!("{text:?} is not an address to listen on"));
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host: IpAddr = match host.trim_matches(['[', ']']) {
        // Serves IPv4 too, where the kernel has both.
        "" => Ipv6Addr::UNSPECIFIED.into(),
        "localhost" => [127, 0, 0, 1].into(),
        host => host.parse().map_err(|_| wrong())?,
    };
    let port = port.parse().map_err(|_| wrong())?;
    Ok(SocketAddr::new(host, port))
}

/// Reads `loadbalance [round_robin]`.
pub(crate) fn read_loadbalance(
    directive: &Directive,
    lines: &mut Lines<'_>,
) -> Result<(), DirectiveError> {
    lines.read_each(directive, |_| not_supported("addresses are only rotated"));
    match arguments::optional_argument(directive)? {
        None | Some("round_robin") => Ok(()),
        _ => not_supported("addresses are only rotated"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_texts() {
        for (text, expected) in [
            (".", Some((".", 53))),
            (".:53", Some((".", 53))),
            (":1053", Some((".", 1053))),
            ("Acme.local:5353", Some(("acme.local.", 5353))),
            ("dns://example.org", Some(("example.org.", 53))),
            ("10.0.0.0/24", Some(("0.0.10.in-addr.arpa.", 53))),
            ("10.0.0.0/24:54", Some(("0.0.10.in-addr.arpa.", 54))),
            ("fd00::/8", Some(("d.f.ip6.arpa.", 53))),
            ("tls://example.org", None),
            ("ftp://example.org", None),
            ("example.org:0", None),
            ("example.org:x", None),
            ("a..b", None),
        ] {
            let read = parse_server_key(text).ok();
            let read = read.map(|(zones, port)| (zones[0].to_ascii(), port));
            let expected = expected.map(|(zone, port)| (zone.to_owned(), port));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn addresses_to_listen_on() {
        for (text, expected) in [
            (":9153", Some("[::]:9153")),
            ("localhost:9153", Some("127.0.0.1:9153")),
            ("0.0.0.0:9153", Some("0.0.0.0:9153")),
            ("[::1]:9153", Some("[::1]:9153")),
            ("9153", None),
            ("host:9153", None),
        ] {
            let read = parse_listen_address(text)
                .ok()
                .map(|address| address.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
