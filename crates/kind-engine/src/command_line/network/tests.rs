//! Answers of real engines, shortened.

use super::{answer, ensure_network};
use crate::command_line::program::Program;
use crate::command_line::{Flavor, stub};
use crate::{Code, Error};

#[test]
fn docker_networks_that_kind_made_give_no_lasting_addresses() {
    let text = r#"[{"Name":"kind","Id":"a","IPAM":{"Config":[{"Subnet":"fc00:f853:ccd:e793::/64"},
        {"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}]}}]"#;
    let known = answer::read(Flavor::Docker, "kind", text).unwrap().unwrap();
    assert!(!known.network.lasting_addresses);
    assert_eq!(
        known.network.subnets,
        ["fc00:f853:ccd:e793::/64", "172.18.0.0/16"]
    );
}

#[test]
fn docker_networks_of_ours_do() {
    let text = r#"[{"Name":"kind","IPAM":{"Config":[{"Subnet":"172.18.0.0/16","IPRange":"172.18.0.0/17",
        "Gateway":"172.18.0.1"},{"Subnet":"fc00:f853:ccd:e793::/64"}]}}]"#;
    let known = answer::read(Flavor::Docker, "kind", text).unwrap().unwrap();
    assert!(known.network.lasting_addresses);
    assert_eq!(known.subnets.range.unwrap().to_string(), "172.18.0.0/17");
    assert!(known.subnets.v6.is_some());
}

#[test]
fn podman_networks_of_all_ages() {
    for text in [
        r#"[{"name":"kind","subnets":[{"subnet":"10.89.0.0/24","gateway":"10.89.0.1"},
            {"subnet":"fc00::/64"}]}]"#,
        r#"[{"name":"kind","plugins":[{"type":"bridge","ipam":{"ranges":[[{"subnet":"10.89.0.0/24",
            "gateway":"10.89.0.1"}],[{"subnet":"fc00::/64"}]]}},{"type":"portmap"}]}]"#,
    ] {
        let known = answer::read(Flavor::Podman, "kind", text).unwrap().unwrap();
        assert_eq!(known.network.subnets, ["10.89.0.0/24", "fc00::/64"]);
        assert!(known.network.lasting_addresses);
    }
}

#[test]
fn an_answer_about_another_network_is_none() {
    assert!(
        answer::read(Flavor::Nerdctl, "kind", "[]")
            .unwrap()
            .is_none()
    );
    assert!(
        answer::read(Flavor::Nerdctl, "kind", r#"[{"Name":"other"}]"#)
            .unwrap()
            .is_none()
    );
    assert!(answer::read(Flavor::Docker, "kind", "no JSON").is_err());
}

#[test]
fn strange_json_of_a_network_is_no_program_that_removes_networks() {
    for strange in ["null", "{}", "7", "\"kind\"", "no JSON"] {
        let error = answer::read(Flavor::Docker, "kind", strange).unwrap_err();
        assert_eq!(error.code(), Code::Answer, "{strange}");
    }
    // The network is made, and then an empty list is all that is told of it.
    let error = ensured("echo '[]'", "").0.unwrap_err();
    assert_eq!(error.code(), Code::Answer);
    let said = "docker tells of a network what cannot be read: of network \"kind\", which was just made, it says \"[]\"";
    assert_eq!(error.to_string(), said);
    let error = ensured("echo gone >&2; exit 1", "").0.unwrap_err();
    assert_eq!(error.code(), Code::NetworkGone);
}

/// A network that a kind has made, with these options.
fn of_kind(options: &str) -> String {
    format!(
        r#"[{{"Name":"kind","IPAM":{{"Config":[{{"Subnet":"172.18.0.0/16"}},
        {{"Subnet":"fc00:f853:ccd:e793::/64"}}]}},"Options":{{{options}}}}}]"#
    )
}

/// What comes of docker saying this of the network, with these containers on it: the network, and what was asked.
fn ensured(
    inspect: &str,
    containers: &str,
) -> (Result<answer::InspectedNetwork, Error>, Vec<String>) {
    ensured_beside(None, inspect, containers)
}

/// The same with this route on the host.
fn ensured_beside(
    route: Option<ipnet::IpNet>,
    inspect: &str,
    containers: &str,
) -> (Result<answer::InspectedNetwork, Error>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let calls = directory.path().join("calls");
    let script = format!(
        "echo \"$1 $2 $3\" >>{}
case \"$1 $2 $3\" in
'network inspect bridge') echo 1500 ;;
'network inspect kind') {inspect} ;;
'ps '*) echo {containers} ;;
'inspect '*) echo '[{{\"Name\":\"/other\"}}]' ;;
esac\n",
        calls.display()
    );
    let program = Program::new(stub::program(directory.path(), &script));
    let known = ensure_network(Flavor::Docker, &program, "kind", |_| route);
    let calls = std::fs::read_to_string(calls).unwrap();
    (known, calls.lines().map(str::to_owned).collect())
}

const INTERNAL: &str = r#""com.docker.network.bridge.gateway_mode_ipv4":"isolated""#;

#[test]
fn a_network_as_nodes_need_it_is_taken_as_it_is() {
    let (known, calls) = ensured(&format!("echo '{}'", of_kind("")), "");
    assert!(known.unwrap().network.warnings.is_empty());
    assert_eq!(calls, ["network inspect kind", "network inspect bridge"]);
}

#[test]
fn a_wrong_network_of_ours_that_nobody_is_on_is_made_anew() {
    let (_, calls) = ensured(&format!("echo '{}'", of_kind(INTERNAL)), "");
    let calls = calls.join("\n");
    assert!(calls.contains("network rm kind\n"), "{calls}");
    assert!(calls.contains("network create -d=bridge\n"), "{calls}");
}

#[test]
fn a_wrong_network_that_somebody_uses_is_told() {
    let others = of_kind(INTERNAL).replace("fc00:f853:ccd:e793::/64", "fd00::/64");
    for (network, containers) in [(of_kind(INTERNAL), "0123"), (others, "")] {
        let (known, calls) = ensured(&format!("echo '{network}'"), containers);
        let warnings = known.unwrap().network.warnings;
        assert_eq!(warnings.len(), 1);
        assert_eq!(
            warnings[0],
            "network \"kind\" is there and is not as nodes need it: it is internal: nodes reach no registry, and \
             their ports are not published (remove what is on it, then `docker network rm kind`: it is made anew)"
        );
        assert!(!calls.join("\n").contains("network rm"), "{calls:?}");
    }
}

#[test]
fn networks_of_kind_are_known_by_their_subnets() {
    let is_of_kind = |v4: &str, range: Option<&str>, v6: Option<&str>| {
        let subnets = super::Subnets {
            v4: v4.parse().ok(),
            range: range.and_then(|range| range.parse().ok()),
            v6: v6.and_then(|v6| v6.parse().ok()),
        };
        super::create::is_of_kind("kind", &subnets)
    };
    assert!(is_of_kind("172.18.0.0/16", Some("172.18.0.0/17"), None));
    assert!(is_of_kind(
        "172.18.0.0/16",
        None,
        Some("fc00:f853:ccd:e793::/64")
    ));
    assert!(!is_of_kind("172.18.0.0/16", None, None));
    assert!(!is_of_kind(
        "172.18.0.0/16",
        Some("172.18.1.0/24"),
        Some("fd00::/64")
    ));
}

#[test]
fn a_network_that_the_host_routes_elsewhere_is_refused_or_made_anew() {
    let route = "172.18.128.0/17".parse().ok();
    let network = format!("echo '{}'", of_kind(""));
    let error = ensured_beside(route, &network, "0123").0.unwrap_err();
    assert_eq!(error.code(), Code::SubnetRouted);
    let text = error.to_string();
    assert!(
        text.contains("this host routes 172.18.128.0/17 elsewhere"),
        "{text}"
    );
    assert!(error.remedy().unwrap().contains("`docker network rm kind`"));
    let (_, calls) = ensured_beside(route, &network, "");
    assert!(calls.join("\n").contains("network rm kind\n"), "{calls:?}");
}
