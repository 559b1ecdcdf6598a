//! Clusters and the problems that they have.

use super::ports::check_port;
use crate::model::{
    Cluster, IpFamily, KubeProxyMode, Mount, Node, PortMapping, Protocol, Role, Taint, TaintEffect,
};
use crate::{DEFAULT_NODE_IMAGE, Error};

/// A change to a cluster.
type Change = fn(&mut Cluster);

/// The warnings of a cluster with defaults after a change.
fn warnings(change: impl FnOnce(&mut Cluster)) -> Vec<String> {
    let mut cluster = Cluster::default();
    cluster.set_defaults();
    change(&mut cluster);
    cluster.warnings()
}

/// The problems of a cluster with defaults after a change.
fn problems(change: impl FnOnce(&mut Cluster)) -> Vec<String> {
    let mut cluster = Cluster::default();
    cluster.set_defaults();
    change(&mut cluster);
    match cluster.validate() {
        Ok(()) => Vec::new(),
        Err(Error::Invalid(findings)) => findings.iter().map(ToString::to_string).collect(),
        Err(error) => panic!("{error}"),
    }
}

fn subnets(family: &str, pods: &str, services: &str) -> impl FnOnce(&mut Cluster) {
    move |cluster| {
        cluster.networking.ip_family = family.parse().unwrap();
        cluster.networking.pod_subnet = pods.to_owned();
        cluster.networking.service_subnet = services.to_owned();
    }
}

#[test]
fn clusters_that_are_fine_have_no_problems() {
    let fine: [Change; 4] = [
        |_| {},
        |cluster| cluster.nodes.extend([worker(), worker()]),
        |cluster| {
            *cluster = Cluster::default();
            cluster.networking.ip_family = IpFamily::Ipv6;
            cluster.set_defaults();
        },
        |cluster| cluster.networking.api_server_port = -1,
    ];
    for change in fine {
        assert_eq!(problems(change), [""; 0]);
    }
}

fn worker() -> Node {
    Node {
        image: DEFAULT_NODE_IMAGE.into(),
        ..Node::worker()
    }
}

#[test]
fn each_bad_field_is_one_problem() {
    let bad: [Change; 14] = [
        |cluster| cluster.networking.pod_subnet = "aa".into(),
        |cluster| cluster.networking.service_subnet = "aa".into(),
        |cluster| cluster.networking.pod_subnet = String::new(),
        |cluster| cluster.networking.service_subnet = String::new(),
        |cluster| cluster.networking.api_server_port = 9_999_999,
        |cluster| cluster.networking.kube_proxy_mode = KubeProxyMode::Unknown("notiptables".into()),
        |cluster| cluster.networking.ip_family = IpFamily::Unknown("ds".into()),
        |cluster| cluster.networking.pod_subnet = "192.168.0.2/24,2.2.2.0/24".into(),
        |cluster| cluster.networking.api_server_address = "localhost".into(),
        |cluster| cluster.nodes.clear(),
        |cluster| {
            let mut node = worker();
            node.role = Role::Unknown("bogus".into());
            cluster.nodes.push(node);
        },
        |cluster| cluster.nodes[0].image.clear(),
        |cluster| cluster.name = "Capital".into(),
        |cluster| cluster.name = String::new(),
    ];
    for (index, change) in bad.into_iter().enumerate() {
        let found = problems(change);
        assert_eq!(found.len(), 1, "{index}: {found:?}");
    }
}

#[test]
fn subnets_fit_the_family() {
    for (family, pods, services, expected) in [
        (
            "dual",
            "192.168.0.2/24,fd00:1::/25",
            "192.168.0.2/24,fd00:1::/25",
            0,
        ),
        (
            "dual",
            "192.168.0.2/24,fd00:1::/25",
            "192.168.0.2/24,fd00:1::/25,10.0.0.0/16",
            1,
        ),
        ("dual", "192.168.0.2/24", "192.168.0.2/24,fd00:1::/25", 0),
        (
            "dual",
            "192.168.0.2/24,2.2.2.0/25",
            "192.168.0.2/24,2.2.2.0/25",
            2,
        ),
        ("ipv6", "192.168.0.2/24", "192.168.0.2/24", 2),
        ("ipv4", "fd00:1::/25", "fd00:1::/25", 2),
        ("odd", "fd00:1::/25", "192.168.0.2/24", 1),
    ] {
        let found = problems(subnets(family, pods, services));
        assert_eq!(
            found.len(),
            expected,
            "{family} {pods} {services}: {found:?}"
        );
    }
}

#[test]
fn octets_with_leading_zeros_are_refused_and_lengths_are_not() {
    for subnet in [
        "010.96.0.0/16",
        "10.96.0.0/+16",
        "10.96.0.0/",
        "10.96.0.0/33",
    ] {
        let found = problems(subnets("ipv4", "10.244.0.0/16", subnet));
        assert_eq!(found.len(), 1, "{subnet}: {found:?}");
    }
    let found = problems(subnets("ipv4", "10.244.0.0/0016", "10.96.0.0/016"));
    assert_eq!(found, [""; 0]);
}

#[test]
fn subnets_that_stand_for_others_are_a_warning() {
    let change = subnets(
        "dual",
        "10.1.2.3/16,fd00::/56",
        "10.96.0.0/016,FD00:1::/112",
    );
    assert_eq!(
        warnings(change),
        [
            "networking.podSubnet: 10.1.2.3/16 stands for 10.1.0.0/16; write 10.1.0.0/16",
            "networking.serviceSubnet: 10.96.0.0/016 stands for 10.96.0.0/16; write 10.96.0.0/16",
        ]
    );
}

#[test]
fn pod_and_service_subnets_that_overlap_are_a_warning() {
    for (family, pods, services, count) in [
        ("ipv4", "10.0.0.0/8", "10.96.0.0/16", 1),
        ("ipv4", "10.96.4.0/24", "10.96.0.0/16", 1),
        ("ipv4", "10.244.0.0/16", "10.96.0.0/16", 0),
        ("dual", "10.1.0.0/16,fd00::/56", "10.1.0.0/16,fd00::/112", 2),
        (
            "dual",
            "10.1.0.0/16,fd00:1::/56",
            "10.2.0.0/16,fd00::/112",
            0,
        ),
    ] {
        let told = warnings(subnets(family, pods, services));
        assert_eq!(told.len(), count, "{pods} {services}: {told:?}");
        assert!(
            told.iter()
                .all(|text| text.contains(" overlaps podSubnet ")),
            "{told:?}"
        );
    }
}

#[test]
fn families_of_pods_and_services_in_different_orders_are_a_warning() {
    for (pods, services, is_told) in [
        ("10.1.0.0/16,fd00:1::/56", "fd00::/112,10.2.0.0/16", true),
        ("10.1.0.0/16", "fd00::/112,10.2.0.0/16", true),
        ("fd00:1::/56,10.1.0.0/16", "fd00::/112,10.2.0.0/16", false),
    ] {
        let told = warnings(subnets("dual", pods, services));
        assert_eq!(told.len(), usize::from(is_told), "{told:?}");
    }
    let told = warnings(subnets("dual", "10.1.0.0/16", "fd00::/112"));
    assert!(
        told[0].starts_with("networking.podSubnet begins with IPv4 and serviceSubnet with IPv6"),
        "{told:?}"
    );
}

/// A cluster of one node of that image with one feature gate.
fn gate(image: &str, name: &str, on: bool) -> impl FnOnce(&mut Cluster) {
    move |cluster| {
        cluster.nodes[0].image = image.to_owned();
        cluster.feature_gates.insert(name.to_owned(), on);
    }
}

#[test]
fn feature_gates_with_which_no_node_starts_are_refused() {
    for (image, name, on) in [
        ("kindest/node:v1.33.0", "ImageVolumes", true),
        ("kindest/node:v1.33.0@sha256:ab", "APIListChunking", true),
        ("kindest/node:v1.30.0", "ImageVolume", true),
        ("kindest/node:v1.29.0", "APIListChunking", false),
    ] {
        let found = problems(gate(image, name, on));
        assert_eq!(found.len(), 1, "{name}");
        assert!(found[0].contains(name), "{found:?}");
    }
    // The table may lack one that is like no other.
    let lacking = || gate("kindest/node:v1.33.0", "NoSuchThing", true);
    assert_eq!(problems(lacking()), [""; 0]);
    assert_eq!(warnings(lacking()).len(), 1);
    // Of other images nobody knows, and later versions may have other gates.
    assert_eq!(problems(gate("my/node:latest", "Zed", true)), [""; 0]);
    assert_eq!(problems(gate(DEFAULT_NODE_IMAGE, "Zed", true)), [""; 0]);
    let told = warnings(gate(DEFAULT_NODE_IMAGE, "Zed", true));
    assert!(
        told[0].starts_with("featureGates.Zed: no Kubernetes from 1.20"),
        "{told:?}"
    );
}

#[test]
fn ipvs_is_leaving() {
    let told = |image: &str| {
        warnings(|cluster| {
            cluster.networking.kube_proxy_mode = KubeProxyMode::Ipvs;
            cluster.nodes[0].image = image.to_owned();
        })
    };
    for image in [
        "kindest/node:v1.37.0@sha256:ab",
        "localhost:5000/node:v1.38.2",
    ] {
        assert!(told(image)[0].contains("ipvs is deprecated"), "{image}");
    }
    for image in [
        "kindest/node:v1.36.4",
        "kindest/node",
        "localhost:5000/node",
        "x:latest",
    ] {
        assert_eq!(told(image), [""; 0], "{image}");
    }
}

/// The problems of a cluster whose first node has one label.
fn of_label(key: &str, value: &str) -> Vec<String> {
    problems(|cluster| {
        cluster.nodes[0].labels = [(key.to_owned(), value.to_owned())].into();
    })
}

#[test]
fn labels_that_the_kubelet_takes_have_no_problems() {
    for (key, value) in [
        ("tier", "front"),
        ("empty", ""),
        ("example.com/Some_Name", "1.2-a"),
        ("kubernetes.io/hostname", "x"),
        ("topology.kubernetes.io/zone", "a"),
        ("node.kubernetes.io/pool", "a"),
        ("my.node.kubernetes.io/pool", "a"),
        ("mykubernetes.io/pool", "a"),
        ("last", "blank "),
        ("several", "a,b=c"),
    ] {
        assert_eq!(of_label(key, value), [""; 0], "{key}={value}");
    }
}

#[test]
fn labels_that_the_kubelet_refuses_are_named() {
    let long = "a".repeat(64);
    let prefix = format!("{}/x", "a".repeat(254));
    for (key, value, reason) in [
        (
            "node-role.kubernetes.io/worker",
            "",
            "kubernetes.io or k8s.io",
        ),
        ("kubernetes.io/role", "x", "kubernetes.io or k8s.io"),
        (
            "node-restriction.kubernetes.io/x",
            "y",
            "kubernetes.io or k8s.io",
        ),
        ("x.k8s.io/y", "z", "kubernetes.io or k8s.io"),
        (&long, "x", "more than 63"),
        ("tier", &long, "more than 63"),
        (&prefix, "x", "more than 253"),
        ("a/b/c", "x", "more than one slash"),
        ("tier", "front end", "blank"),
        ("my tier", "front", "blank"),
        ("tier", "a/b", "only letters"),
        ("tier", "-a", "begin and end"),
        ("tier", "a,-b", "begin and end"),
        ("", "x", "no name"),
        ("Example.com/x", "y", "lower case"),
    ] {
        let found = of_label(key, value);
        assert_eq!(found.len(), 1, "{key}={value}: {found:?}");
        assert!(found[0].contains("invalid label"), "{found:?}");
        assert!(found[0].contains(reason), "{found:?}");
    }
}

#[test]
fn labels_that_a_patch_replaces_are_the_users_affair() {
    let found = problems(|cluster| {
        cluster.nodes[0].labels = [("a/b/c".to_owned(), String::new())].into();
        cluster.nodes[0].kubeadm_config_patches = vec![
            "kind: InitConfiguration\nnodeRegistration: {kubeletExtraArgs: {node-labels: a=b}}"
                .into(),
        ];
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn labels_that_the_kubelet_splits_are_a_warning() {
    let told = warnings(|cluster| {
        cluster.nodes[0].labels = [("tier".to_owned(), "a,b=c".to_owned())].into();
    });
    let expected = "nodes[0].labels: the kubelet takes tier=a,b=c for tier=a and b=c";
    assert_eq!(told, [expected]);
}

#[test]
fn taints_that_the_api_server_refuses_are_named() {
    let taint = |key: &str, value: &str| Taint {
        key: key.into(),
        value: value.into(),
        effect: TaintEffect::NoSchedule,
    };
    let found =
        |taints: &[Taint]| problems(|cluster| cluster.nodes[0].taints = Some(taints.into()));
    let fine = taint("example.com/a", "b");
    assert_eq!(found(&[fine.clone(), taint("a", "")]), [""; 0]);
    for (key, value) in [
        ("", "b"),
        ("a/b/c", "d"),
        ("a", "b c"),
        ("a", &"b".repeat(64)),
    ] {
        assert_eq!(found(&[taint(key, value)]).len(), 1, "{key}={value}");
    }
    assert!(found(&[fine.clone(), fine])[0].contains("twice"));
}

#[test]
fn ports_are_numbers_of_ports() {
    for port in [-1, 0, 10, 65535] {
        assert_eq!(check_port(port), Ok(()));
    }
    for port in [-2, 65536, 999_999_999] {
        let problem = format!("invalid port number: {port}");
        assert_eq!(check_port(port), Err(problem));
    }
    let found = problems(|cluster| {
        cluster.nodes[0].extra_port_mappings = vec![PortMapping {
            container_port: 999_999_999,
            ..PortMapping::default()
        }];
    });
    assert_eq!(
        found,
        ["invalid configuration for node 0: invalid containerPort: invalid port number: 999999999"]
    );
}

/// Mappings written as `ADDRESS PORT PROTOCOL`, separated by commas.
fn mappings(text: &str) -> Vec<PortMapping> {
    text.split(',')
        .map(|mapping| {
            let words: Vec<&str> = mapping.split(' ').collect();
            PortMapping {
                listen_address: words[0].into(),
                host_port: words[1].parse().unwrap(),
                container_port: 80,
                protocol: match words[2] {
                    "UDP" => Protocol::Udp,
                    "SCTP" => Protocol::Sctp,
                    _ => Protocol::Tcp,
                },
            }
        })
        .collect()
}

#[test]
fn a_port_of_the_host_is_given_away_once() {
    for text in [
        "127.0.0.1 80 UDP,127.0.0.1 80 TCP,0.0.0.0 3000 UDP,0.0.0.0 5000 TCP",
        "::1 80 UDP,::1 80 TCP,fd00::1 3000 UDP,fd00::2 5000 TCP",
        " 80 TCP",
        "0.0.0.0 0 TCP,0.0.0.0 0 TCP",
        "0.0.0.0 -1 TCP,0.0.0.0 -1 TCP",
    ] {
        let found = problems(|cluster| cluster.nodes[0].extra_port_mappings = mappings(text));
        assert_eq!(found, [""; 0], "{text}");
    }
    for (text, place) in [
        (
            "127.0.0.1 80 TCP,127.0.0.1 80 UDP,127.0.0.1 80 TCP",
            "127.0.0.1:80/TCP",
        ),
        ("::1 80 TCP,::1 80 UDP,::1 80 TCP", "[::1]:80/TCP"),
        (
            "127.0.0.1 80 TCP,0.0.0.0 80 UDP,::1 80 TCP,:: 80 UDP",
            "[::]:80/UDP",
        ),
        ("127.0.0.1 80 TCP,0.0.0.0 80 TCP", "0.0.0.0:80/TCP"),
        ("::1 80 TCP,:: 80 TCP", "[::]:80/TCP"),
        ("0.0.0.0 80 TCP,127.0.0.1 80 TCP", "127.0.0.1:80/TCP"),
        (":: 80 SCTP,::1 80 SCTP", "[::1]:80/SCTP"),
        (" 80 TCP,127.0.0.1 80 TCP", "127.0.0.1:80/TCP"),
    ] {
        let found = problems(|cluster| cluster.nodes[0].extra_port_mappings = mappings(text));
        let expected = format!(
            "invalid configuration for node 0: invalid portMapping: port mapping with same listen \
             address, port and protocol already configured: {place}"
        );
        assert_eq!(found, [expected], "{text}");
    }
    // Whatever the port is: nothing may listen everywhere because of a typing mistake.
    for text in ["not-an-ip 80 TCP", "not-an-ip 0 TCP", "not-an-ip -1 TCP"] {
        let found = problems(|cluster| cluster.nodes[0].extra_port_mappings = mappings(text));
        assert_eq!(
            found,
            [
                "invalid configuration for node 0: invalid portMapping: invalid listen address: not-an-ip"
            ]
        );
    }
}

/// A change that publishes ports on a control plane and on a worker.
fn published(first: &str, second: &str) -> impl FnOnce(&mut Cluster) {
    let (first, second) = (mappings(first), mappings(second));
    |cluster| {
        cluster.nodes.push(worker());
        cluster.nodes[0].extra_port_mappings = first;
        cluster.nodes[1].extra_port_mappings = second;
    }
}

#[test]
fn a_port_of_the_host_is_for_one_node() {
    for (first, second) in [
        ("127.0.0.1 80 TCP", "127.0.0.1 80 TCP"),
        ("0.0.0.0 80 TCP", "127.0.0.1 80 TCP"),
        ("127.0.0.1 80 TCP", " 80 TCP"),
        ("::1 80 TCP", ":: 80 TCP"),
    ] {
        let found = problems(published(first, second));
        assert_eq!(found.len(), 1, "{first} {second}: {found:?}");
        assert!(
            found[0].contains("nodes[0].extraPortMappings[0] and nodes[1].extraPortMappings[0]")
        );
    }
    for (first, second) in [
        ("127.0.0.1 80 TCP", "127.0.0.2 80 TCP"),
        ("127.0.0.1 80 TCP", "127.0.0.1 81 TCP"),
        ("127.0.0.1 80 TCP", "127.0.0.1 80 UDP"),
        ("127.0.0.1 0 TCP", "127.0.0.1 0 TCP"),
    ] {
        assert_eq!(
            problems(published(first, second)),
            [""; 0],
            "{first} {second}"
        );
        assert_eq!(
            warnings(published(first, second)),
            [""; 0],
            "{first} {second}"
        );
    }
}

#[test]
fn ports_that_an_engine_may_give_twice_are_a_warning() {
    for (first, second) in [
        ("0.0.0.0 80 TCP", ":: 80 TCP"),
        (":: 80 TCP", "127.0.0.1 80 TCP"),
        ("0.0.0.0 80 UDP", "127.0.0.1 80 UDP"),
    ] {
        assert_eq!(
            problems(published(first, second)),
            [""; 0],
            "{first} {second}"
        );
        let told = warnings(published(first, second));
        assert_eq!(told.len(), 1, "{first} {second}: {told:?}");
        assert!(
            told[0].contains("want the same port of the host"),
            "{told:?}"
        );
    }
}

/// A change that fixes the API server's port beside mappings of a node.
fn beside_api_server(address: &str, node: usize, text: &str) -> impl FnOnce(&mut Cluster) {
    let (address, mappings) = (address.to_owned(), mappings(text));
    move |cluster| {
        cluster.nodes.push(worker());
        cluster.networking.api_server_port = 6443;
        cluster.networking.api_server_address = address;
        cluster.nodes[node].extra_port_mappings = mappings;
    }
}

#[test]
fn the_port_of_the_api_server_is_for_nothing_else() {
    for (address, node, text) in [
        ("127.0.0.1", 0, "127.0.0.1 6443 TCP"),
        ("127.0.0.1", 0, " 6443 TCP"),
        ("127.0.0.1", 1, "0.0.0.0 6443 TCP"),
        ("0.0.0.0", 1, "127.0.0.1 6443 TCP"),
        ("::1", 1, ":: 6443 TCP"),
    ] {
        let found = problems(beside_api_server(address, node, text));
        assert_eq!(found.len(), 1, "{address} {node} {text}: {found:?}");
        assert!(
            found[0].starts_with("networking.apiServerPort and nodes["),
            "{found:?}"
        );
    }
    for (address, text) in [
        ("127.0.0.1", "127.0.0.2 6443 TCP"),
        ("127.0.0.1", "127.0.0.1 6443 UDP"),
        ("127.0.0.1", "127.0.0.1 6444 TCP"),
        ("127.0.0.1", "::1 6443 TCP"),
    ] {
        assert_eq!(
            problems(beside_api_server(address, 0, text)),
            [""; 0],
            "{text}"
        );
    }
}

#[test]
fn the_port_of_the_api_server_once_more_is_no_conflict() {
    let twice = |cluster: &mut Cluster| {
        beside_api_server("127.0.0.1", 0, "127.0.0.1 6443 TCP")(cluster);
        cluster.nodes[0].extra_port_mappings[0].container_port = 6443;
    };
    assert_eq!(problems(twice), [""; 0]);
    assert_eq!(warnings(twice).len(), 1);
}

#[test]
fn addresses_that_mappings_publish_the_api_server_at() {
    let mut cluster = Cluster::default();
    cluster.set_defaults();
    published(
        "192.0.2.1 6443 TCP,0.0.0.0 7000 TCP,192.0.2.2 7001 TCP",
        "192.0.2.3 6444 TCP",
    )(&mut cluster);
    for node in &mut cluster.nodes {
        for mapping in &mut node.extra_port_mappings {
            mapping.container_port = 6443;
        }
    }
    cluster.nodes[0].extra_port_mappings[2].container_port = 80;
    let expected: std::net::IpAddr = "192.0.2.1".parse().unwrap();
    assert_eq!(cluster.published_api_server_addresses(), [expected]);
}

/// A change that mounts a host path over a path of the node.
fn mount(host: &str, container: &str) -> impl FnOnce(&mut Cluster) {
    let mount = Mount::new(host, container);
    move |cluster| cluster.nodes[0].extra_mounts = vec![mount]
}

#[test]
fn mounts_over_what_a_node_lives_on_are_refused_by_name() {
    for path in [
        "/",
        "/usr",
        "/lib",
        "/bin",
        "/etc",
        "/etc/containerd",
        "/proc",
        "/proc/1",
        "/proc/sys",
        "/proc/sys/net",
        "/sys",
        "/dev",
        "/kind",
        "/run",
        "/var",
        "/var/lib/../",
        "/etc/systemd/system",
        "/usr/local/bin",
        "/etc/",
        "//usr",
        "/var/../etc/.",
    ] {
        let found = problems(mount("/data", path));
        assert_eq!(found.len(), 1, "{path}");
        assert!(
            found[0].contains(&format!("{path} holds what the node needs")),
            "{found:?}"
        );
    }
}

#[test]
fn the_hosts_processes_are_none_of_a_nodes() {
    assert_eq!(problems(mount("/proc", "/proc")).len(), 1);
    assert_eq!(problems(mount("/proc/sys", "/proc/sys/")).len(), 1);
}

#[test]
fn mounts_without_a_host_path_or_a_place_in_the_node_are_refused() {
    for (host, path, expected) in [
        ("", "/data", "invalid mount: hostPath is empty"),
        (
            "/data",
            "",
            "invalid mount: containerPath \"\" is not absolute",
        ),
        (
            "/data",
            "data",
            "invalid mount: containerPath \"data\" is not absolute",
        ),
    ] {
        let found = problems(mount(host, path));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{found:?}");
    }
}

#[test]
fn mounts_below_what_a_node_lives_on_are_the_users_affair() {
    for path in [
        "/var/lib/foo",
        "/etc/kubernetes/x",
        "/etc/containerd/certs.d",
        "/usr/local/share/ca-certificates",
        "/var/lib/kubelet",
        "/var/lib/etcd",
        "/dev/shm",
        "/proc/cpuinfo",
        "/processes",
        "/run/udev",
        "/data",
    ] {
        assert_eq!(problems(mount("/data", path)), [""; 0], "{path}");
        assert_eq!(warnings(mount("/data", path)), [""; 0], "{path}");
    }
}

#[test]
fn mounts_that_work_and_hide_something_are_a_warning() {
    for (host, path) in [
        ("/data", "/var/lib"),
        ("/data", "/var/lib/containerd"),
        ("/data", "/tmp"),
        ("/lib/modules", "/lib/modules"),
        ("/dev", "/dev"),
        ("/sys/", "/sys"),
    ] {
        assert_eq!(problems(mount(host, path)), [""; 0], "{path}");
        let told = warnings(mount(host, path));
        assert!(
            told[0].starts_with("nodes[0].extraMounts[0]: "),
            "{path}: {told:?}"
        );
    }
}
