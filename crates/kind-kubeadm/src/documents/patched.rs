//! A node's documents as they are after all patches, and what other parts read from them.

use std::net::IpAddr;

use kind_config::Role;
use serde_json::{Value, json};

use super::make::patched_values;
use crate::stream::join_documents;
use crate::{ClusterSettings, Error, NodeFacts, NodeSettings};

const DNS_DOMAIN: &str = "cluster.local";
const API_SERVER_PORT: u64 = 6443;
/// Where kubeadm looks for certificates unless it is told another place.
const CERTIFICATES: &str = "/etc/kubernetes/pki";
/// A directory that is not there.
const NO_CERTIFICATES: &str = "/kind/pki";
/// Phases of `kubeadm init` that must not be skipped if nodes are to start all at once.
const NEEDED: [&str; 6] = [
    "certs",
    "kubeconfig",
    "kubelet-start",
    "control-plane",
    "upload-config",
    "bootstrap-token",
];

/// A node's documents with all patches.
#[derive(Debug, Clone, PartialEq)]
pub struct Documents(pub(super) Vec<Value>);

impl Documents {
    /// The text of the node's `/kind/kubeadm.conf`.
    pub fn text(&self) -> String {
        join_documents(self.0.clone())
    }

    /// Whether certificates and kubeconfigs can be made for kubeadm beforehand: nobody asked for anything
    /// that only kubeadm itself does, or brings an authority or an etcd of their own.
    pub fn can_be_prepared(&self) -> bool {
        let cluster = self.cluster();
        let own = [
            "encryptionAlgorithm",
            "certificateValidityPeriod",
            "caCertificateValidityPeriod",
        ];
        let place = cluster["certificatesDir"].as_str();
        let gates = cluster["featureGates"].as_object();
        let gate = |name: &str| gates.is_some_and(|gates| gates.get(name) == Some(&json!(true)));
        let name = |document: &Value| document["nodeRegistration"]["name"].as_str().is_some();
        own.iter().all(|field| cluster[*field].is_null())
            && cluster["etcd"]["external"].is_null()
            && place.is_none_or(|place| place == CERTIFICATES)
            && !gate("RootlessControlPlane")
            && !gate("PublicKeysECDSA")
            && !name(self.init())
            && !name(self.join())
    }

    /// Whether a node can be started from these documents without asking the cluster.
    pub fn can_start_alone(&self) -> bool {
        let skipped = |document: &Value, phase: &str| {
            let phases = document["skipPhases"].as_array();
            phases.is_some_and(|phases| phases.iter().any(|skipped| skipped == phase))
        };
        let arguments = &self.cluster()["etcd"]["local"]["extraArgs"];
        let cluster_of_etcd = ["initial-cluster", "initial-cluster-state"];
        let token = &self.join()["discovery"]["bootstrapToken"];
        self.can_be_prepared()
            && NEEDED.iter().all(|phase| !skipped(self.init(), phase))
            && self.join()["skipPhases"]
                .as_array()
                .is_none_or(|p| p.len() <= 1)
            && self.join()["patches"].is_null()
            && !token.is_null()
            && cluster_of_etcd
                .iter()
                .all(|name| find_argument(arguments, name).is_none())
    }

    /// The documents by which a node of that role starts alone, as one stream: kubeadm's phases for a first
    /// node, with what was meant for this node when it joins. `etcd` are the names of all control planes.
    pub fn start_text(&self, role: &Role, etcd: &[&str], facts: &NodeFacts) -> String {
        let mut cluster = self.cluster().clone();
        let mut init = self.init().clone();
        if facts.name.as_str() != etcd.first().copied().unwrap_or_default() {
            let joined = self.join();
            init["nodeRegistration"] = joined["nodeRegistration"].clone();
            if let local @ Value::Object(_) = &joined["controlPlane"]["localAPIEndpoint"] {
                init["localAPIEndpoint"] = local.clone();
            }
        }
        if *role == Role::ControlPlane && etcd.len() > 1 {
            let members: Vec<_> = etcd
                .iter()
                .map(|name| format!("{name}=https://{name}:2380"))
                .collect();
            let own = format!("https://{}:2380", facts.name);
            let arguments = &mut cluster["etcd"]["local"]["extraArgs"];
            for (name, value) in [
                ("initial-cluster", members.join(",")),
                ("initial-cluster-state", "new".to_owned()),
                ("initial-advertise-peer-urls", own),
            ] {
                set_argument(arguments, name, value, facts);
            }
        }
        let mut kubelet = self.of_kind("KubeletConfiguration").cloned();
        if *role != Role::ControlPlane {
            register_with_taints(&mut init["nodeRegistration"], facts);
            // An authority without its key, as a worker has it, would be taken for one of the user's.
            cluster["certificatesDir"] = NO_CERTIFICATES.into();
            kubelet = kubelet.map(trust_cluster);
        }
        let kept = [kubelet, self.of_kind("KubeProxyConfiguration").cloned()];
        let documents = [Some(cluster), Some(init)].into_iter().chain(kept);
        join_documents(documents.flatten().collect())
    }

    /// Whether these documents have `kubeadm init` leave out a phase or a part of it.
    pub fn skips(&self, phase: &str) -> bool {
        let part = format!("{phase}/");
        let is_meant = |skipped: &String| *skipped == phase || skipped.starts_with(&part);
        self.init_skip_phases().iter().any(is_meant)
    }

    /// Phases that `kubeadm init` skips by these documents.
    pub(crate) fn init_skip_phases(&self) -> Vec<String> {
        let phases = texts(&self.init()["skipPhases"]).into_iter();
        phases.map(str::to_owned).collect()
    }

    /// Whether a kubelet runs by these documents as by those others. `kubeadm join` gives every node what the
    /// first one has.
    pub fn has_kubelet_of(&self, other: &Self) -> bool {
        let kind = "KubeletConfiguration";
        self.of_kind(kind) == other.of_kind(kind)
    }

    /// How a node registers by its document of that kind.
    pub(crate) fn node_registration(&self, kind: &str) -> &Value {
        let document = self.of_kind(kind).unwrap_or(&Value::Null);
        &document["nodeRegistration"]
    }

    /// The container runtime's socket, which a node's annotation names.
    pub fn cri_socket(&self) -> &str {
        let socket = &self.join()["nodeRegistration"]["criSocket"];
        socket.as_str().unwrap_or_default()
    }

    pub(crate) fn cluster_name(&self) -> &str {
        text(&self.cluster()["clusterName"]).unwrap_or("kubernetes")
    }

    /// The domain of the names of services and pods, as patches may have changed it.
    pub fn dns_domain(&self) -> &str {
        text(&self.cluster()["networking"]["dnsDomain"]).unwrap_or(DNS_DOMAIN)
    }

    /// Subnets of services, separated by commas, as patches may have changed them; `None` if the documents name
    /// none.
    pub fn service_subnet(&self) -> Option<&str> {
        text(&self.cluster()["networking"]["serviceSubnet"])
    }

    /// Subnets of pods, as [`Documents::service_subnet`].
    pub(crate) fn pod_subnet(&self) -> Option<&str> {
        text(&self.cluster()["networking"]["podSubnet"])
    }

    /// Extra arguments of the controller manager.
    pub(crate) fn controller_manager_arguments(&self) -> &Value {
        &self.cluster()["controllerManager"]["extraArgs"]
    }

    /// The API server's address among services: the first of the first subnet.
    pub(crate) fn service_address(&self) -> Option<IpAddr> {
        let subnet = self.service_subnet()?.split(',').next()?;
        let (address, _) = subnet.split_once('/')?;
        let prefix: u32 = subnet.split_once('/')?.1.parse().ok()?;
        Some(match address.parse().ok()? {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0);
                IpAddr::V4(((u32::from(v4) & mask) + 1).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0);
                IpAddr::V6(((u128::from(v6) & mask) + 1).into())
            }
        })
    }

    pub(crate) fn endpoint_host(&self) -> String {
        let endpoint = text(&self.cluster()["controlPlaneEndpoint"]).unwrap_or_default();
        let host = match endpoint.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => endpoint,
        };
        host.trim_matches(['[', ']']).to_owned()
    }

    pub(crate) fn endpoint_url(&self) -> String {
        let endpoint = text(&self.cluster()["controlPlaneEndpoint"]).unwrap_or_default();
        let has_port = endpoint
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if has_port {
            format!("https://{endpoint}")
        } else {
            format!("https://{endpoint}:{API_SERVER_PORT}")
        }
    }

    pub(crate) fn advertise_address(&self) -> String {
        text(&self.local_endpoint()["advertiseAddress"])
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn local_endpoint_url(&self) -> String {
        let port = self.local_endpoint()["bindPort"]
            .as_u64()
            .unwrap_or(API_SERVER_PORT);
        let address = self.advertise_address();
        if address.contains(':') {
            format!("https://[{address}]:{port}")
        } else {
            format!("https://{address}:{port}")
        }
    }

    pub(crate) fn api_server_names(&self) -> Vec<&str> {
        texts(&self.cluster()["apiServer"]["certSANs"])
    }

    pub(crate) fn etcd_server_names(&self) -> Vec<&str> {
        texts(&self.cluster()["etcd"]["local"]["serverCertSANs"])
    }

    pub(crate) fn etcd_peer_names(&self) -> Vec<&str> {
        texts(&self.cluster()["etcd"]["local"]["peerCertSANs"])
    }

    fn local_endpoint(&self) -> &Value {
        &self.init()["localAPIEndpoint"]
    }

    fn cluster(&self) -> &Value {
        self.of_kind("ClusterConfiguration").unwrap_or(&Value::Null)
    }

    fn init(&self) -> &Value {
        self.of_kind("InitConfiguration").unwrap_or(&Value::Null)
    }

    fn join(&self) -> &Value {
        self.of_kind("JoinConfiguration").unwrap_or(&Value::Null)
    }

    fn of_kind(&self, kind: &str) -> Option<&Value> {
        self.0.iter().find(|document| document["kind"] == kind)
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn texts(value: &Value) -> Vec<&str> {
    let values = value.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).collect()
}

/// An extra argument in either form.
fn find_argument<'a>(arguments: &'a Value, name: &str) -> Option<&'a Value> {
    match arguments {
        Value::Object(map) => map.get(name),
        Value::Array(list) => {
            let found = list.iter().find(|argument| argument["name"] == name)?;
            found.get("value")
        }
        _ => None,
    }
}

/// Sets an extra argument in the form of the node's API version.
fn set_argument(arguments: &mut Value, name: &str, value: String, facts: &NodeFacts) {
    if !facts.api().has_argument_lists() {
        arguments[name] = value.into();
        return;
    }
    if arguments.is_null() {
        *arguments = json!([]);
    }
    if let Some(list) = arguments.as_array_mut() {
        list.retain(|argument| argument["name"] != name);
        list.push(json!({ "name": name, "value": value }));
    }
}

/// A worker registers itself with its taints; as a first node kubeadm would set them later, and give it those
/// of a control plane.
fn register_with_taints(registration: &mut Value, facts: &NodeFacts) {
    let taints = registration["taints"].as_array().cloned();
    registration["taints"] = json!([]);
    let Some(taints) = taints.filter(|taints| !taints.is_empty()) else {
        return;
    };
    let written: Vec<String> = taints.iter().map(format_taint).collect();
    let arguments = &mut registration["kubeletExtraArgs"];
    if find_argument(arguments, "register-with-taints").is_none() {
        set_argument(arguments, "register-with-taints", written.join(","), facts);
    }
}

/// Has the kubelet know its clients by the cluster's authority, wherever kubeadm looks for certificates.
fn trust_cluster(mut kubelet: Value) -> Value {
    let file = &mut kubelet["authentication"]["x509"]["clientCAFile"];
    if file.is_null() {
        *file = format!("{CERTIFICATES}/ca.crt").into();
    }
    kubelet
}

/// `KEY=VALUE:EFFECT`
fn format_taint(taint: &Value) -> String {
    let field = |name: &str| taint[name].as_str().unwrap_or_default().to_owned();
    format!("{}={}:{}", field("key"), field("value"), field("effect"))
}

/// The documents of a node with the patches of the cluster and the node.
///
/// # Errors
/// The node lacks an address or cannot run its Kubernetes version without root, or a patch cannot be applied.
pub fn patched(
    cluster: &ClusterSettings,
    node: &NodeSettings,
    facts: &NodeFacts,
) -> Result<Documents, Error> {
    patched_values(cluster, node, facts).map(Documents)
}

#[cfg(test)]
#[path = "patched_tests.rs"]
mod tests;
