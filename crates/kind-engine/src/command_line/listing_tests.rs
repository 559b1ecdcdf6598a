//! Answers of real engines, shortened.

use super::*;

#[test]
fn a_running_docker_node_has_its_real_addresses_and_ports() {
    let text = r#"[{"Name":"/kind-control-plane","Image":"sha256:0","State":{"Status":"running","ExitCode":0},
      "Config":{"Image":"kindest/node:v1","Labels":{"io.x-k8s.kind.cluster":"kind","io.x-k8s.kind.role":"control-plane"}},
      "HostConfig":{"NetworkMode":"kind","PortBindings":{"6443/tcp":[{"HostIp":"127.0.0.1","HostPort":"0"}]}},
      "NetworkSettings":{"Ports":{"6443/tcp":[{"HostIp":"127.0.0.1","HostPort":"40000"}],"81/udp":null},
        "Networks":{"aaa":{"IPAddress":"10.0.0.9"},"kind":{"IPAMConfig":{"IPv4Address":"172.18.128.1"},
        "IPAddress":"172.18.0.2","GlobalIPv6Address":"fc00::2"}}}}]"#;
    let nodes = parse_nodes(Flavor::Docker, text).unwrap();
    let [node] = &nodes[..] else {
        panic!("{nodes:?}")
    };
    assert_eq!(node.name, "kind-control-plane");
    assert_eq!((node.cluster(), node.role()), ("kind", "control-plane"));
    assert_eq!(node.image, "kindest/node:v1");
    assert_eq!(node.state, State::Running);
    assert_eq!(node.ipv4.unwrap().to_string(), "172.18.0.2");
    assert_eq!(node.ipv6.unwrap().to_string(), "fc00::2");
    let port = Port::new(Ipv4Addr::LOCALHOST.into(), 40000, 6443, Protocol::Tcp);
    assert_eq!(node.ports, [port]);
}

#[test]
fn a_node_that_never_ran_has_what_was_asked_for() {
    let text = r#"[{"Name":"/a","State":{"Status":"created","ExitCode":0},"Config":{"Image":"i","Labels":null},
      "HostConfig":{"NetworkMode":"kind","PortBindings":{"53/udp":[{"HostIp":"::1","HostPort":"53"}]}},
      "NetworkSettings":{"Ports":{},"Networks":{"kind":{"IPAMConfig":{"IPv4Address":"172.18.128.1",
      "IPv6Address":"fc00::8001"},"IPAddress":"","GlobalIPv6Address":""}}}}]"#;
    let node = parse_nodes(Flavor::Docker, text).unwrap().remove(0);
    assert_eq!(node.state, State::Created);
    assert_eq!(node.ipv4.unwrap().to_string(), "172.18.128.1");
    assert_eq!(node.ipv6.unwrap().to_string(), "fc00::8001");
    assert_eq!(node.ports[0].host, 53);
    assert_eq!(node.ports[0].protocol, Protocol::Udp);
}

#[test]
fn podman_says_it_in_its_own_way() {
    let text = r#"[{"Name":"a","ImageName":"docker.io/kindest/node:v1","Image":"0","State":{"Status":"exited",
      "ExitCode":130},"Config":{"Image":"x","Labels":{}},"HostConfig":{"NetworkMode":"bridge"},
      "NetworkSettings":{"Ports":[{"hostPort":40000,"containerPort":6443,"protocol":"tcp","hostIP":""}],
      "Networks":{"kind":{"IPAddress":"10.89.0.2","GlobalIPv6Address":"","IPAMConfig":null}}}}]"#;
    let node = parse_nodes(Flavor::Podman, text).unwrap().remove(0);
    assert_eq!(node.image, "docker.io/kindest/node:v1");
    assert_eq!(node.state, State::Exited(Some(130)));
    assert_eq!(node.ipv4.unwrap().to_string(), "10.89.0.2");
    assert_eq!(node.ports[0].listen.to_string(), "127.0.0.1");
}

#[test]
fn podman_tells_addresses_of_a_node_that_never_ran_in_the_command_that_made_it() {
    let text = r#"[{"Name":"a","State":{"Status":"created"},"Config":{"CreateCommand":["podman","create",
      "--name","a","--net","kind","--ip","10.89.5.77","--ip6","fc00::5","kindest/node:v1"]},
      "NetworkSettings":{"Networks":{"kind":{"IPAddress":"","IPAMConfig":null}}}}]"#;
    let node = parse_nodes(Flavor::Podman, text).unwrap().remove(0);
    assert_eq!(node.ipv4.unwrap().to_string(), "10.89.5.77");
    assert_eq!(node.ipv6.unwrap().to_string(), "fc00::5");
}

#[test]
fn nerdctl_names_the_image_elsewhere() {
    let text = r#"[{"Name":"a","Image":"docker.io/kindest/node:v1","State":{"Status":"running"},
      "Config":{"Labels":{}},"NetworkSettings":{"Ports":{"6443/tcp":[{"HostIp":"127.0.0.1","HostPort":"1"}]},
      "Networks":{"unknown-eth0":{"IPAddress":"10.4.0.2"}}}}]"#;
    let node = parse_nodes(Flavor::Nerdctl, text).unwrap().remove(0);
    assert_eq!(node.image, "docker.io/kindest/node:v1");
    assert_eq!(node.ipv4.unwrap().to_string(), "10.4.0.2");
}

#[test]
fn hostile_answers_are_errors_or_left_out() {
    assert!(parse_nodes(Flavor::Docker, "{").is_err());
    let text = r#"[{"NetworkSettings":{"Ports":{"x/tcp":[{"HostPort":"1"}],"1/tcp":[{"HostPort":"99999"}],
      "2/quic":[{"HostPort":"1"}],"3/tcp":[{"HostIp":"nowhere","HostPort":"1"}],"4/tcp":7}}}]"#;
    assert_eq!(parse_nodes(Flavor::Docker, text).unwrap()[0].ports, []);
}

#[test]
fn only_missing_containers_are_forgiven() {
    assert!(is_gone(
        b"Error: No such container: a\nError: No such object: b\n"
    ));
    assert!(!is_gone(
        b"Error: No such container: a\npermission denied\n"
    ));
    assert!(!is_gone(b""));
}
