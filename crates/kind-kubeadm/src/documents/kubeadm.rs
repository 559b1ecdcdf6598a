//! The documents of kubeadm's own API.

use kind_config::version::Version;
use kind_config::{API_SERVER_PORT, IpFamily, Role, Taint};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::gates::Gates;
use super::token::PLACEHOLDER;
use crate::audit;
use crate::skip_phases::{init_skip_phases, join_skip_phases};
use crate::{ClusterSettings, Error, NodeFacts, NodeSettings};

const CRI_SOCKET: &str = "unix:///run/containerd/containerd.sock";

/// ClusterConfiguration, InitConfiguration and JoinConfiguration.
pub(super) fn kubeadm_documents(
    cluster: &ClusterSettings,
    node: &NodeSettings,
    facts: &NodeFacts,
    gates: &Gates,
) -> Result<Vec<Value>, Error> {
    let endpoint = format!("{}:{API_SERVER_PORT}", cluster.endpoint);
    let addresses: Vec<String> = facts
        .addresses(&cluster.networking)?
        .iter()
        .map(ToString::to_string)
        .collect();
    let local = json!({ "advertiseAddress": addresses[0], "bindPort": API_SERVER_PORT });
    let registration = node_registration(cluster, node, facts, &addresses.join(","));
    let mut documents = vec![
        cluster_configuration(cluster, facts, gates, &endpoint),
        init_configuration(&local, &registration),
        join_configuration(node, &local, &registration, &endpoint),
    ];
    for document in &mut documents {
        document["apiVersion"] = facts.api().as_str().into();
    }
    if facts.api().has_skip_phases() {
        documents[1]["skipPhases"] = init_skip_phases(cluster).into();
        documents[2]["skipPhases"] = join_skip_phases().into();
    }
    Ok(documents)
}

fn cluster_configuration(
    cluster: &ClusterSettings,
    facts: &NodeFacts,
    gates: &Gates,
    endpoint: &str,
) -> Value {
    let networking = &cluster.networking;
    let is_ipv6 = networking.ip_family == IpFamily::Ipv6;
    let mut api_server = Arguments::default()
        .with("runtime-config", runtime_config(cluster))
        .with_some("feature-gates", gates.argument());
    if cluster.audit.is_some() {
        for (name, value) in audit::ARGUMENTS {
            api_server = api_server.with(name, value);
        }
    }
    let controller_manager = Arguments::default()
        .with_some("feature-gates", gates.argument())
        .with("enable-hostpath-provisioner", "true")
        .with_some("bind-address", is_ipv6.then_some("::"));
    let scheduler = Arguments::default()
        .with_some("feature-gates", gates.argument())
        .with_some("bind-address", is_ipv6.then_some("::1"));
    let mut document = json!({
        "kind": "ClusterConfiguration",
        "kubernetesVersion": facts.kubernetes_version(),
        "clusterName": cluster.name,
        "controlPlaneEndpoint": endpoint,
        "apiServer": {
            "certSANs": certificate_names(cluster),
            "extraArgs": api_server.into_json(facts.api()),
        },
        "controllerManager": { "extraArgs": controller_manager.into_json(facts.api()) },
        "scheduler": { "extraArgs": scheduler.into_json(facts.api()) },
        "networking": {
            "podSubnet": networking.pod_subnet,
            "serviceSubnet": networking.service_subnet,
        },
    });
    if cluster.audit.is_some() {
        document["apiServer"]["extraVolumes"] = audit::audit_volumes();
    }
    if is_1_20(facts.version()) {
        document["featureGates"] = json!({ "IPv6DualStack": true });
    }
    document
}

/// Names of the API server's certificate beside those that kubeadm finds out.
fn certificate_names(cluster: &ClusterSettings) -> Vec<&str> {
    let networking = &cluster.networking;
    let mut names = vec!["localhost", networking.api_server_address.as_str()];
    for name in &networking.api_server_cert_sans {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// The one release in which two address families are a gate of kubeadm's own, off by default.
fn is_1_20(version: &Version) -> bool {
    (version.major(), version.minor()) == (1, 20)
}

fn runtime_config(cluster: &ClusterSettings) -> String {
    let entries: Vec<String> = cluster
        .runtime_config
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    entries.join(",")
}

fn init_configuration(local: &Value, registration: &Value) -> Value {
    json!({
        "kind": "InitConfiguration",
        "bootstrapTokens": [{ "token": PLACEHOLDER }],
        "localAPIEndpoint": local,
        "nodeRegistration": registration,
    })
}

fn join_configuration(
    node: &NodeSettings,
    local: &Value,
    registration: &Value,
    endpoint: &str,
) -> Value {
    let mut document = json!({
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": endpoint,
                "token": PLACEHOLDER,
                "unsafeSkipCAVerification": true,
            },
        },
        "nodeRegistration": registration,
    });
    if node.role == Role::ControlPlane {
        document["controlPlane"] = json!({ "localAPIEndpoint": local });
    }
    document
}

fn node_registration(
    cluster: &ClusterSettings,
    node: &NodeSettings,
    facts: &NodeFacts,
    addresses: &str,
) -> Value {
    let labels: Vec<String> = node
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let provider_id = format!("kind://{}/{}/{}", facts.provider, cluster.name, facts.name);
    let kubelet = Arguments::default()
        .with("node-ip", addresses)
        .with("provider-id", provider_id)
        .with("node-labels", labels.join(","));
    let mut registration = json!({
        "criSocket": CRI_SOCKET,
        "kubeletExtraArgs": kubelet.into_json(facts.api()),
    });
    if let Some(taints) = &node.taints {
        registration["taints"] = taints.iter().map(taint_value).collect();
    }
    registration
}

fn taint_value(taint: &Taint) -> Value {
    let mut json = json!({ "key": taint.key, "effect": taint.effect.as_str() });
    if !taint.value.is_empty() {
        json["value"] = taint.value.as_str().into();
    }
    json
}
