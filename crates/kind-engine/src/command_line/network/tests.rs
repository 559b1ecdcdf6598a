//! Answers of real engines, shortened.

use super::answer;
use crate::command_line::Flavor;

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
