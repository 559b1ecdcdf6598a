//! What is not in the recorded runs of kind, which are compared where plans are made.

use kind_config::ResourceLimits;

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
    create_arguments(flavor, info, node, &Surroundings::default()).join(" ")
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
    let made = create_arguments(Flavor::Docker, &Info::default(), &node(), &surroundings).join(" ");
    assert!(
        made.contains("--ip 172.18.200.1 --ip6 fc00::c801"),
        "{made}"
    );
}

#[test]
fn a_kernel_without_modules_shows_none() {
    let modules = "--volume /lib/modules:/lib/modules:ro";
    for lacks_modules in [false, true] {
        let surroundings = Surroundings {
            lacks_modules,
            ..Surroundings::default()
        };
        let made =
            create_arguments(Flavor::Docker, &Info::default(), &node(), &surroundings).join(" ");
        assert_eq!(made.contains(modules), !lacks_modules, "{made}");
    }
}

#[test]
fn a_shared_var_is_shown_beside_an_empty_one() {
    let mut surroundings = Surroundings {
        shared_image_store: Some("kind-var-0".to_owned()),
        seeded_command: Some(["/entrypoint", "/sbin/init"].map(str::to_owned).into()),
        ..Surroundings::default()
    };
    let shown = "--volume kind-var-0:/.kind-shared-var:ro";
    let made = |flavor, surroundings: &_| {
        create_arguments(flavor, &Info::default(), &node(), surroundings).join(" ")
    };
    let docker = made(Flavor::Docker, &surroundings);
    let empty = "--mount type=volume,destination=/var,volume-nocopy";
    assert!(docker.contains(empty) && docker.contains(shown), "{docker}");
    let command = "--entrypoint /kind/bin/kind-node i:1 seed -- /entrypoint /sbin/init";
    assert!(docker.ends_with(command), "{docker}");
    surroundings.volume = Some("own".to_owned());
    let podman = made(Flavor::Podman, &surroundings);
    let empty = "--volume own:/var:suid,exec,dev,nocopy";
    assert!(podman.contains(empty) && podman.contains(shown), "{podman}");
}

#[test]
fn a_node_that_takes_no_files_before_it_runs_tells_where_its_program_is() {
    let surroundings = Surroundings {
        agent: Some("/programs/kind-node".into()),
        ..Surroundings::default()
    };
    let arguments =
        create_arguments(Flavor::Nerdctl, &Info::default(), &node(), &surroundings).join(" ");
    assert!(arguments.contains("--label io.x-k8s.kind.agent=/programs/kind-node"));
}

#[test]
fn a_node_uses_no_more_of_its_host_than_it_may() {
    let limited = |resources| {
        let node = NodeSpec {
            host: HostConfig {
                resources,
                ..HostConfig::default()
            },
            ..node()
        };
        let surroundings = Surroundings::default();
        create_arguments(Flavor::Podman, &Info::default(), &node, &surroundings).join(" ")
    };
    let both = limited(ResourceLimits {
        millicpus: Some(1500),
        memory_bytes: Some(2 << 30),
    });
    assert!(
        both.contains(" --cpus 1.5 --memory 2147483648 --memory-swap 2147483648 "),
        "{both}"
    );
    let neither = limited(ResourceLimits::default());
    assert!(!neither.contains("--cpus") && !neither.contains("--memory"));
}

#[test]
fn without_the_engines_dns_nodes_are_told_each_others_names() {
    let surroundings = Surroundings {
        hosts: vec![
            ("b".to_owned(), "10.89.0.5".parse().unwrap()),
            ("b".to_owned(), "fc00::5".parse().unwrap()),
        ],
        ..Surroundings::default()
    };
    let made = create_arguments(Flavor::Podman, &Info::default(), &node(), &surroundings).join(" ");
    let hosts = "--add-host b:10.89.0.5 --add-host b:fc00::5";
    assert!(made.contains(hosts), "{made}");
}
