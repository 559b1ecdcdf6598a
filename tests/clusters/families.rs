//! Two nodes and their pods over IPv4 and IPv6.

use std::net::{IpAddr, Ipv6Addr};

use kind_e2e::eventually;

use crate::names::{NODES, SIX};
use crate::pages::{GREETING, Target, from_host, reached};
use crate::several::{self, HOST_PORT, names_lead_to_the_other_node};
use crate::workloads::{SAMPLE, outside_sees};
use crate::world::{World, free_port};

/// Pods and Services of each node answer pods of the other one, at every address.
pub(crate) fn pods_of_two_nodes_talk_over_both_families(world: &World) {
    for [from, to] in [NODES, [NODES[1], NODES[0]]] {
        let pods = of_both_families(world, &["pod", to], "{.status.podIPs[*].ip}");
        let services = of_both_families(world, &["service", to], "{.spec.clusterIPs[*]}");
        let pods = pods.iter().map(|address| Target::at(*address, 8080));
        let services = services.iter().map(|address| Target::at(*address, 80));
        let targets: Vec<_> = pods.chain(services).collect();
        eventually("every address answers", 30, || {
            let reached = reached(world, &[from], &targets);
            if reached.len() == targets.len() {
                Ok(())
            } else {
                Err((reached, targets.clone()))
            }
        });
    }
}

/// A pod's `hostPort` is reached from the host at every address of its node, and leads to that pod.
pub(crate) fn host_ports_are_reached(world: &World) {
    for node in NODES {
        for address in node_addresses(world, node) {
            eventually("the host's port answers", 20, || {
                match from_host(address, HOST_PORT) {
                    Ok(page) if page.contains(&format!("{GREETING}{node}")) => Ok(()),
                    answer => Err((address, answer)),
                }
            });
        }
    }
}

/// What leaves the pod network leaves it under the node's address, in each family.
pub(crate) fn pods_of_both_families_reach_the_outside(world: &World) {
    for address in node_addresses(world, NODES[1]) {
        outside_sees(world, NODES[1], address);
    }
}

/// Pods send packets as large as their node's, and no larger.
pub(crate) fn pods_have_the_nodes_link_size(world: &World) {
    world.kind.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: node\nspec:\n  nodeName: {}\n  hostNetwork: true\n  \
         terminationGracePeriodSeconds: 0\n  containers:\n  - name: main\n    image: {SAMPLE}\n    \
         imagePullPolicy: Never\n    command: [sleep, '100000']\n",
        NODES[1]
    ));
    several::pods_are_ready(world, "default");
    let size = |pod: &str| {
        let size = world.kind.shell(pod, "cat /sys/class/net/eth0/mtu");
        size.expect("read the link's size")
    };
    assert_eq!(size(NODES[1]), size("node"));
}

/// A cluster without IPv4 does all of that with the other family alone; kube-proxy is told to use IPVS, and
/// does without where the kernel has none.
pub(crate) fn a_cluster_of_ipv6_and_ipvs_works(world: &World) {
    let published = free_port();
    let networking = "ipFamily: ipv6, kubeProxyMode: ipvs";
    let answer = several::create(world, SIX, networking, published);
    assert_eq!(answer.code, 0, "{answer:#?}");
    several::servers_start(world, SIX, "SingleStack");
    let proxies = ["-n", "kube-system", "-l", "k8s-app=kube-proxy"];
    let logs = [&["logs", "--tail=-1"], &proxies[..]].concat();
    eventually("kube-proxy tells of its mode", 30, || {
        match world.kind.ask(&logs) {
            told if told.stdout.contains("ipvs") => Ok(()),
            told => Err(told),
        }
    });
    let nodes = ["six-control-plane", "six-worker"];
    names_lead_to_the_other_node(world, nodes);
    let node = addresses(
        world,
        &["node", nodes[1]],
        "{.status.addresses[?(@.type==\"InternalIP\")].address}",
    );
    assert!(node.iter().all(IpAddr::is_ipv6), "{node:?}");
    outside_sees(world, nodes[1], node[0]);
    eventually("the host's port answers", 20, || {
        from_host(node[0], HOST_PORT).map(drop)
    });
    eventually("the published port answers", 20, || {
        from_host(Ipv6Addr::LOCALHOST.into(), published).map(drop)
    });
    several::delete(world, SIX);
    world.nothing_is_left();
}

/// The addresses of a node.
pub(crate) fn node_addresses(world: &World, node: &str) -> [IpAddr; 2] {
    let path = "{.status.addresses[?(@.type==\"InternalIP\")].address}";
    of_both_families(world, &["node", node], path)
}

/// An object's two addresses, IPv4 first.
pub(crate) fn of_both_families(world: &World, object: &[&str], path: &str) -> [IpAddr; 2] {
    let mut found = addresses(world, object, path);
    found.sort();
    match found[..] {
        [four, six] if four.is_ipv4() && six.is_ipv6() => [four, six],
        _ => panic!("{object:?} has {found:?}"),
    }
}

fn addresses(world: &World, object: &[&str], path: &str) -> Vec<IpAddr> {
    let output = format!("jsonpath={path}");
    let arguments = [&["get"], object, &["--output", &output]].concat();
    let text = world.kind.ask(&arguments).expect("addresses");
    let words = text.split_whitespace();
    words.map(|word| word.parse().unwrap()).collect()
}
