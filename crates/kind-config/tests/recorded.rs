//! Configurations that kind v0.33.0 read, and what it made of them.

use kind_config::Cluster;
use kind_testkit::golden;

/// Inputs that we treat better than kind does, with our result and the quirk's name.
const BETTER: &[(&str, &str, &str)] = &[
    (
        "apiServerAddress is not validated",
        "networking: {apiServerAddress: not-an-ip}\n",
        "VALIDATE ERR: invalid apiServerAddress: not-an-ip is not an IP address",
    ),
    (
        "port duplicates with unset protocol are missed",
        "hostPort: 80, protocol: tcp}\n  - {containerPort: 81, hostPort: 80}\n",
        "VALIDATE ERR: invalid configuration for node 0: invalid portMapping: port mapping with same \
         listen address, port and protocol already configured: 0.0.0.0:80/TCP",
    ),
    (
        "port duplicates are printed without their default protocol",
        "{containerPort: 80, hostPort: 80}\n  - {containerPort: 81, hostPort: 80}\n",
        "VALIDATE ERR: invalid configuration for node 0: invalid portMapping: port mapping with same \
         listen address, port and protocol already configured: 0.0.0.0:80/TCP",
    ),
];

#[test]
fn every_recorded_configuration_gives_the_recorded_result() {
    let cases = golden::config_cases();
    assert_eq!(cases.len(), 55);
    for case in cases {
        let better = BETTER
            .iter()
            .find(|(_, input, _)| case.input.ends_with(input));
        let expected = better.map_or(case.result.as_str(), |(_, _, result)| result);
        assert_eq!(outcome(&case.input), expected, "{}", case.input);
    }
}

/// What kind's recorder printed for a configuration.
fn outcome(text: &str) -> String {
    let mut cluster = match Cluster::parse(text) {
        Ok(cluster) => cluster,
        Err(error) => return format!("PARSE ERR: {error}"),
    };
    cluster.set_defaults();
    match cluster.validate() {
        Ok(()) => describe(&cluster),
        Err(error) => format!("VALIDATE ERR: {error}"),
    }
}

fn describe(cluster: &Cluster) -> String {
    let networking = &cluster.networking;
    let gates = map(&cluster.feature_gates);
    let runtime_config = map(&cluster.runtime_config);
    format!(
        "OK name={:?} nodes={} net={{IPFamily:{} APIServerPort:{} APIServerAddress:{} PodSubnet:{} \
         ServiceSubnet:{} DisableDefaultCNI:{} KubeProxyMode:{} DNSSearch:<nil>}} fg={gates} rc={runtime_config}",
        cluster.name,
        cluster.nodes.len(),
        networking.ip_family,
        networking.api_server_port,
        networking.api_server_address,
        networking.pod_subnet,
        networking.service_subnet,
        networking.disable_default_cni,
        networking.kube_proxy_mode,
    )
}

fn map<V: std::fmt::Display>(map: &std::collections::BTreeMap<String, V>) -> String {
    let entries: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    format!("map[{}]", entries.join(" "))
}

#[test]
fn recorded_creations_with_bad_configurations_fail_with_the_recorded_text() {
    for case in golden::create_cases() {
        let recorded = case.read("exit-and-stderr.txt");
        let outcome = outcome(&case.config);
        match case.name.as_str() {
            "bad-field" | "bad-subnet" => {
                let (_, error) = outcome.split_once("ERR: ").unwrap();
                let recorded = recorded.split_once("failed to create cluster: ").unwrap().1;
                assert_eq!(recorded.trim_end(), error, "{}", case.name);
            }
            _ => assert!(outcome.starts_with("OK"), "{}: {outcome}", case.name),
        }
    }
}
