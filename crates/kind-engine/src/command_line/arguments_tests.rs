//! What is not in the recorded runs of kind, which are compared where plans are made.

use super::*;

fn node() -> NodeSpec {
    NodeSpec {
        name: "n".to_owned(),
        image: "i:1".to_owned(),
        network: "kind".to_owned(),
        ..NodeSpec::default()
    }
}

fn made(flavor: Flavor, info: &Info, node: &NodeSpec) -> String {
    create(flavor, info, node, &Surroundings::default()).join(" ")
}

#[test]
fn devices_are_shown_where_the_kubelet_looks_for_them() {
    let mapper = "--volume /dev/mapper:/dev/mapper";
    for (flavor, driver, backing, rootless, shown) in [
        (Flavor::Docker, "btrfs", "", false, true),
        (Flavor::Docker, "overlay2", "xfs", false, true),
        (Flavor::Docker, "overlay2", "extfs", false, false),
        (Flavor::Docker, "zfs", "", true, false),
        (Flavor::Podman, "zfs", "", true, true),
        (Flavor::Nerdctl, "btrfs", "", false, false),
    ] {
        let info = Info {
            storage_driver: driver.to_owned(),
            backing_filesystem: backing.to_owned(),
            rootless,
            ..Info::default()
        };
        assert_eq!(
            made(flavor, &info, &node()).contains(mapper),
            shown,
            "{flavor:?} {driver}"
        );
    }
}

#[test]
fn a_remapping_daemon_is_told_not_to() {
    let info = Info {
        user_namespaces: true,
        ..Info::default()
    };
    assert!(made(Flavor::Docker, &info, &node()).contains("--userns=host"));
}

#[test]
fn a_load_balancer_has_no_privileges() {
    let mut node = node();
    node.purpose = Purpose::LoadBalancer;
    node.command = Some(["kind-node", "balance"].map(str::to_owned).into());
    assert_eq!(
        made(Flavor::Podman, &Info::default(), &node),
        "create --name n --hostname n --tty --net kind -e container=podman --cgroupns=private \
         --entrypoint kind-node docker.io/library/i:1 balance"
    );
}

#[test]
fn addresses_are_asked_for_where_there_are_any() {
    let surroundings = Surroundings {
        ipv4: Some([172, 18, 200, 1].into()),
        ipv6: Some("fc00::c801".parse().unwrap()),
        ..Surroundings::default()
    };
    let made = create(Flavor::Docker, &Info::default(), &node(), &surroundings).join(" ");
    assert!(
        made.contains("--ip 172.18.200.1 --ip6 fc00::c801"),
        "{made}"
    );
}
