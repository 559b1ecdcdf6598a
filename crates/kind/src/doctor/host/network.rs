//! Routes, proxies, and engines elsewhere.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use kind_config::Cluster;
use kind_engine::ProxyAddress;

use super::facts::Host;
use crate::EngineChoice;
use crate::doctor::outcome::{Outcome, Problem};
use crate::proxies::open_ports;

/// Variables that name a proxy.
const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Pods reach nothing of the host's network that has addresses of pods or Services.
pub(super) fn look_at_routes(host: &Host) -> Outcome {
    match host.text("proc/net/route") {
        Some(text) if host.has_nodes() => judge_routes(&read_routes(&text), &default_subnets()),
        _ => Outcome::skipped("nodes would not run on this kernel"),
    }
}

/// The addresses of pods and Services of a cluster whose configuration says nothing of them.
fn default_subnets() -> Vec<(&'static str, IpNet)> {
    let mut cluster = Cluster::default();
    cluster.set_defaults();
    let networking = cluster.networking;
    let subnets = [
        ("podSubnet", networking.pod_subnet),
        ("serviceSubnet", networking.service_subnet),
    ];
    let parsed = subnets.into_iter().flat_map(|(field, text)| {
        let subnets = text.split(',').map(str::to_owned).collect::<Vec<_>>();
        subnets
            .into_iter()
            .filter_map(move |subnet| Some((field, subnet.parse().ok()?)))
    });
    parsed.collect()
}

/// Links and where they lead, out of `/proc/net/route`: numbers in the machine's own order of bytes. The default route
/// leads everywhere and says nothing.
fn read_routes(text: &str) -> Vec<(String, Ipv4Net)> {
    let address = |word: &str| {
        let number = u32::from_str_radix(word, 16).ok()?;
        Some(Ipv4Addr::from(number.to_ne_bytes()))
    };
    let route = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (link, to) = (words.first()?, address(words.get(1)?)?);
        let mask = address(words.get(7)?)?;
        let net = Ipv4Net::with_netmask(to, mask).ok()?;
        (net.prefix_len() > 0).then(|| ((*link).to_owned(), net))
    };
    text.lines().skip(1).filter_map(route).collect()
}

fn judge_routes(routes: &[(String, Ipv4Net)], subnets: &[(&str, IpNet)]) -> Outcome {
    let overlaps = |one: &IpNet, other: &IpNet| one.contains(other) || other.contains(one);
    let mut problems = Vec::new();
    for (field, subnet) in subnets {
        let mut clashing = routes
            .iter()
            .filter(|(_, to)| overlaps(subnet, &IpNet::V4(*to)));
        if let Some((link, to)) = clashing.next() {
            let found = format!(
                "the host reaches {to} by {link}, and clusters use {subnet} for themselves"
            );
            let remedy = format!(
                "if pods are to reach that network, choose another `networking.{field}` in the cluster's configuration"
            );
            problems.push(Problem::warning(
                found,
                "addresses that nobody else has",
                remedy,
            ));
        }
    }
    Outcome::of_problems(problems, "no route leads to addresses of pods or Services")
}

/// A proxy on the host itself is not there for nodes.
pub(super) fn look_at_proxies(host: &Host) -> Outcome {
    let set = PROXIES
        .into_iter()
        .filter_map(|name| Some((name, host.variable(name)?)));
    let tables = ["proc/net/tcp", "proc/net/tcp6"].map(|path| host.text(path).unwrap_or_default());
    let everywhere = Ipv4Addr::UNSPECIFIED.into();
    let ports: Vec<_> = tables
        .iter()
        .flat_map(|table| open_ports(table, everywhere))
        .collect();
    judge_proxies(&set.collect::<Vec<_>>(), &ports)
}

/// `ports` are those at which something listens on every address of the host.
fn judge_proxies(proxies: &[(&str, &str)], ports: &[u16]) -> Outcome {
    let mut shown = None;
    let mut problems = Vec::new();
    for (name, value) in proxies {
        match ProxyAddress::parse(value) {
            Ok(address) if address.is_loopback() && !ports.contains(&address.port()) => {
                problems.push(unreached_proxy(name, &address));
            }
            Ok(address) => shown = shown.or(Some(address.place())),
            Err(why) => problems.push(Problem::warning(
                format!("{name} is no address of a proxy: {why}"),
                "for example http://proxy.example:3128",
                format!("set {name} to the address of a proxy, or unset it for kind"),
            )),
        }
    }
    let passed = match shown {
        Some(place) => {
            format!("{place} is handed on to nodes, without the cluster's own addresses")
        }
        None => "none is set".to_owned(),
    };
    Outcome::of_problems(problems, passed)
}

fn unreached_proxy(name: &str, address: &ProxyAddress<'_>) -> Problem {
    let found = format!(
        "{name} names {}, which in a node is the node itself",
        address.place()
    );
    let remedy = format!(
        "have the proxy listen on every address of this host, set {name} to one that nodes reach, or unset it for kind"
    );
    Problem::warning(found, "a proxy that nodes reach", remedy)
}

/// The host of a URL, without the login that may stand before it.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split('/').next().unwrap_or_default();
    place.rsplit('@').next().unwrap_or_default()
}

fn is_own(place: &str) -> bool {
    let name = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => place.split(':').next(),
    };
    name.is_some_and(|name| name == "localhost" || name == "::1" || name.starts_with("127."))
}

/// Nodes of an engine on another machine publish their ports there.
pub(super) fn look_at_engine_host(host: &Host) -> Outcome {
    let name = match EngineChoice::named(host.engines().used().name) {
        Some(EngineChoice::Docker) => "DOCKER_HOST",
        Some(EngineChoice::Podman) => "CONTAINER_HOST",
        _ => return Outcome::passed("this one"),
    };
    match host.variable(name) {
        Some(value) => judge_engine_host(name, value),
        None => Outcome::passed("this one, as far as variables say"),
    }
}

fn judge_engine_host(name: &str, value: &str) -> Outcome {
    let is_remote = ["tcp://", "ssh://", "http://", "https://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    let place = host_of(value);
    if !is_remote || is_own(place) {
        return Outcome::Passed(format!("{name} names a socket of this machine"));
    }
    let found = format!(
        "{name} names an engine on {place}: ports of clusters are published there, on its 127.0.0.1"
    );
    let remedy = "set `networking.apiServerAddress` to an address of that machine which this one reaches, and nobody \
         else";
    Problem::warning(found, "an engine on this machine", remedy).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn routes_to_addresses_of_clusters_are_told() {
        // As the kernel prints it on machines with the lowest byte first.
        let line = |address: [u8; 4], mask: [u8; 4]| {
            let hex = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
            format!(
                "tun0\t{}\t00000000\t0001\t0\t0\t0\t{}\t0\t0\t0\n",
                hex(address),
                hex(mask)
            )
        };
        let header = "Iface\tDestination\tGateway \tFlags\n";
        let text = [
            header,
            &line([0; 4], [0; 4]),
            &line([192, 0, 2, 0], [255, 255, 255, 0]),
        ]
        .concat();
        let routes = read_routes(&text);
        assert_eq!(
            routes,
            [("tun0".to_owned(), "192.0.2.0/24".parse().unwrap())]
        );
        let passed = "passed: no route leads to addresses of pods or Services";
        assert_eq!(told(&judge_routes(&routes, &default_subnets())), passed);
        let routes = read_routes(&[header, &line([10, 0, 0, 0], [255, 0, 0, 0])].concat());
        assert_eq!(
            told(&judge_routes(&routes, &default_subnets()[..1])),
            "warning: the host reaches 10.0.0.0/8 by tun0, and clusters use 10.244.0.0/16 for themselves"
        );
        assert_eq!(default_subnets()[1].0, "serviceSubnet");
        assert_eq!(read_routes("x\nbroken line\n"), []);
    }

    #[test]
    fn proxies_are_told_without_their_logins() {
        let judge_proxies = |proxies: &[(&str, &str)]| judge_proxies(proxies, &[22]);
        assert_eq!(told(&judge_proxies(&[])), "passed: none is set");
        let far = [("HTTP_PROXY", "http://me:secret@proxy.example:3128/")];
        assert_eq!(
            told(&judge_proxies(&far)),
            "passed: proxy.example:3128 is handed on to nodes, without the cluster's own addresses"
        );
        for own in [
            "http://me:secret@127.0.0.1:3128",
            "localhost:3128",
            "http://[::1]:3128",
        ] {
            let told = told(&judge_proxies(&[far[0], ("https_proxy", own)]));
            assert!(told.starts_with("warning: https_proxy names "), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn a_proxy_on_every_address_of_the_host_is_reached_and_nonsense_is_told() {
        let own = [("ALL_PROXY", "http://localhost:3128")];
        let passed =
            "passed: localhost:3128 is handed on to nodes, without the cluster's own addresses";
        assert_eq!(told(&judge_proxies(&own, &[3128])), passed);
        let nonsense = told(&judge_proxies(&[("HTTP_PROXY", "http://proxy:http")], &[]));
        assert_eq!(
            nonsense,
            "warning: HTTP_PROXY is no address of a proxy: its port is no number from 1 to 65535"
        );
    }

    #[test]
    fn an_engine_elsewhere_is_told() {
        for (value, is_told) in [
            ("unix:///run/docker.sock", false),
            ("tcp://127.0.0.1:2375", false),
            ("tcp://build.example:2375", true),
            ("ssh://me@build.example", true),
        ] {
            let told = told(&judge_engine_host("DOCKER_HOST", value));
            assert_eq!(told.starts_with("warning: "), is_told, "{told}");
        }
    }
}
