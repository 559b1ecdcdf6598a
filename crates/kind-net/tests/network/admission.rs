//! A bridge behind firewalls that drop.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use kind_net::{admission, nft};
use kind_testkit::machine::require_programs;

use crate::place::{BRIDGE, Place, SUBNETS, Space, address, bridge, listen};

#[test]
fn docker_with_nft() {
    let rules =
        "-N DOCKER-USER; -A DOCKER-USER -j RETURN; -A FORWARD -j DOCKER-USER; -P FORWARD DROP";
    opens(["iptables-nft", "ip6tables-nft"], rules, "DOCKER-USER");
}

#[test]
fn a_dropping_policy_with_nft() {
    opens(
        ["iptables-nft", "ip6tables-nft"],
        "-P FORWARD DROP",
        "FORWARD",
    );
}

#[test]
fn a_dropping_policy_with_legacy() {
    opens(
        ["iptables-legacy", "ip6tables-legacy"],
        "-P FORWARD DROP",
        "FORWARD",
    );
}

#[test]
fn docker_with_legacy() {
    let rules = "-N DOCKER-USER; -I FORWARD -j DOCKER-USER; -P FORWARD DROP";
    opens(
        ["iptables-legacy", "ip6tables-legacy"],
        rules,
        "DOCKER-USER",
    );
}

#[test]
fn a_rejecting_rule() {
    opens(
        ["iptables-nft", "ip6tables-nft"],
        "-A FORWARD -j REJECT",
        "FORWARD",
    );
}

#[test]
fn names_of_the_host() {
    let programs = ["iptables-nft", "ip6tables-nft"];
    require_programs(&programs);
    let place = Place::new();
    // As with ufw: the host answers its neighbours, and those that look for them.
    let rules = "-A INPUT -p ipv6-icmp -j ACCEPT; -P INPUT DROP";
    place.host.run(|| firewall(programs, rules));
    let servers = SUBNETS.map(|gateway| place.host.run(|| listen(address(gateway), 53)));
    assert!(!place.nodes[0].reaches(&servers[0]));
    place
        .host
        .run(|| admission::grant(BRIDGE, &BTreeSet::new()).unwrap());
    for server in &servers {
        assert!(place.nodes[0].reaches(server));
        assert!(!place.neighbour.reaches(server));
    }
    place.host.run(|| admission::revoke(BRIDGE).unwrap());
    assert!(!place.nodes[0].reaches(&servers[0]));
}

/// Docker's own rules say who reaches its containers: ours let nodes pass to everybody else.
#[test]
fn networks_of_other_programs_stay_closed() {
    let programs = ["iptables-nft", "ip6tables-nft"];
    require_programs(&programs);
    let place = Place::new();
    let container = Space::new();
    let (gateways, own) = (["10.96.7.1/24", "fd96:7::1/64"], ["10.96.7.2", "fd96:7::2"]);
    place
        .host
        .run(|| bridge("docker0", gateways, &[&container]));
    container.configure(own, gateways);
    let server = container.run(|| listen(own[0].parse().unwrap(), 80));
    place.wait_for_link(&place.nodes[0], &server);
    let rules =
        "-N DOCKER-USER; -A DOCKER-USER -j RETURN; -A FORWARD -j DOCKER-USER; -P FORWARD DROP";
    place.host.run(|| firewall(programs, rules));
    place
        .host
        .run(|| admission::grant(BRIDGE, &BTreeSet::new()).unwrap());
    assert!(place.nodes[0].reaches(&place.server));
    assert!(!place.nodes[0].reaches(&server));
    // What docker publishes is reached by docker's rule.
    let publish = [
        "-A", "FORWARD", "-o", "docker0", "-p", "tcp", "--dport", "80", "-j", "ACCEPT",
    ];
    let replies = ["-A", "FORWARD", "-i", "docker0", "-j", "ACCEPT"];
    place.host.run(|| {
        output("iptables-nft", &publish);
        output("iptables-nft", &replies);
    });
    assert!(place.nodes[0].reaches(&server));
}

#[test]
fn a_host_that_drops_nothing_is_not_touched() {
    require_programs(&["nft", "ip"]);
    let place = Place::new();
    let before = place.host.run(|| nft::tables().unwrap());
    place.host.run(|| {
        admission::grant(BRIDGE, &BTreeSet::new()).unwrap();
        assert_eq!(nft::tables().unwrap(), before);
        admission::revoke(BRIDGE).unwrap();
        assert_eq!(nft::tables().unwrap(), before);
    });
    assert!(place.nodes[0].reaches(&place.server));
}

/// Checks that nodes are cut off by `rules`, that they are not once admitted, and that the host's rules
/// are the old ones in the end.
fn opens(programs: [&str; 2], rules: &str, chain: &str) {
    require_programs(&programs);
    let place = Place::new();
    place.host.run(|| firewall(programs, rules));
    let before = place.host.run(|| listings(programs));
    for server in [&place.server, &place.server6] {
        assert!(!place.nodes[0].reaches(server), "{rules} drops nothing");
    }
    let bridged = fs::exists("/proc/sys/net/bridge").unwrap();
    assert_eq!(place.nodes[0].reaches(&place.node_server), !bridged);

    place
        .host
        .run(|| admission::grant(BRIDGE, &BTreeSet::new()).unwrap());
    let granted = place.host.run(|| listings(programs));
    assert_eq!(
        granted.matches(&format!("-A {chain} ")).count()
            - before.matches(&format!("-A {chain} ")).count(),
        2 * 7
    );
    place
        .host
        .run(|| admission::grant(BRIDGE, &BTreeSet::new()).unwrap());
    assert_eq!(place.host.run(|| listings(programs)), granted);
    for server in [&place.server, &place.server6, &place.node_server] {
        assert!(place.nodes[0].reaches(server), "{server:?}\n{granted}");
    }
    assert!(!place.neighbour.reaches(&place.node_server), "{granted}");

    place.host.run(|| admission::revoke(BRIDGE).unwrap());
    assert_eq!(place.host.run(|| listings(programs)), before);
    assert!(!place.nodes[0].reaches(&place.server));
}

fn firewall(programs: [&str; 2], rules: &str) {
    for program in programs {
        for rule in rules.split("; ") {
            if program.starts_with("iptables") && rule.contains("ipv6") {
                continue;
            }
            output(program, &rule.split(' ').collect::<Vec<_>>());
        }
    }
}

fn listings(programs: [&str; 2]) -> String {
    programs.map(|program| output(program, &["-S"])).concat()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}
