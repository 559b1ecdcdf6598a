//! The documents that kubeadm reads: the same five kinds for every node.

mod arguments;
mod gates;
mod kube_proxy;
mod kubeadm;
mod kubelet;

use kind_config::version::Version;
use kind_config::{Cluster, KubeProxyMode, yaml};
use serde_json::Value;

use crate::patch::Patches;
use crate::{Error, NodeFacts};
use gates::Gates;

/// Text of a node's `/kind/kubeadm.conf`: its documents with the cluster's and the node's patches.
///
/// # Errors
/// The node lacks an address, is not one of the cluster's, or cannot run its Kubernetes version
/// without root; or a patch cannot be parsed or applied.
pub fn render(cluster: &Cluster, facts: &NodeFacts) -> Result<String, Error> {
    let (index, node) = facts.configuration(cluster)?;
    let of_cluster = Patches::parse(
        "",
        &cluster.kubeadm_config_patches,
        &cluster.kubeadm_config_patches_json6902,
    )
    .map_err(Error::Kubeadm)?;
    let of_node = Patches::parse(
        &format!("nodes[{index}]."),
        &node.kubeadm_config_patches,
        &node.kubeadm_config_patches_json6902,
    )
    .map_err(Error::Kubeadm)?;
    let mut documents = documents(cluster, facts)?;
    for document in &mut documents {
        of_cluster.apply(document).map_err(Error::Kubeadm)?;
        of_node.apply(document).map_err(Error::Kubeadm)?;
        remove_helper_metadata(document);
    }
    Ok(join(documents))
}

/// A node's documents before any patch: ClusterConfiguration, InitConfiguration, JoinConfiguration,
/// KubeletConfiguration and, unless the cluster has no kube-proxy, KubeProxyConfiguration.
///
/// # Errors
/// As [`render`], patches aside.
pub fn documents(cluster: &Cluster, facts: &NodeFacts) -> Result<Vec<Value>, Error> {
    if facts.rootless && *facts.version() < Version::new(1, 22, 0) {
        return Err(Error::Rootless(facts.version().to_string()));
    }
    let gates = Gates::of(cluster, facts);
    let mut documents = kubeadm::documents(cluster, facts, &gates)?;
    documents.push(kubelet::document(cluster, facts, &gates));
    if cluster.networking.kube_proxy_mode != KubeProxyMode::None {
        documents.push(kube_proxy::document(cluster, facts, &gates));
    }
    Ok(documents)
}

/// Writes documents as one stream.
pub(crate) fn join(documents: Vec<Value>) -> String {
    let documents: Vec<String> = documents
        .into_iter()
        .map(|document| yaml::emit(&document.into()))
        .collect();
    documents.join("---\n")
}

/// Removes `metadata.name: config`, by which users of old releases picked the document to patch and
/// which kubeadm does not know.
fn remove_helper_metadata(document: &mut Value) {
    let Some(document) = document.as_object_mut() else {
        return;
    };
    let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if metadata.get("name").is_some_and(|name| name == "config") {
        metadata.remove("name");
    }
    if metadata.is_empty() {
        document.remove("metadata");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(config: &str) -> Cluster {
        let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
        let mut cluster = Cluster::parse(&format!("{header}{config}")).unwrap();
        cluster.set_defaults();
        cluster.validate().unwrap();
        cluster
    }

    fn facts(version: &str) -> NodeFacts {
        let mut facts = NodeFacts::new("kind-control-plane", "docker", version).unwrap();
        facts.ipv4 = Some([172, 18, 0, 2].into());
        facts.ipv6 = "fc00:f853:ccd:e793::2".parse().ok();
        facts
    }

    /// The second reference output of the behavioural specification: old API, IPv6, no kube-proxy,
    /// without root.
    #[test]
    fn rootless_ipv6_without_kube_proxy() {
        let cluster = cluster("networking: {ipFamily: ipv6, kubeProxyMode: none}\n");
        let mut facts = facts("v1.30.0");
        facts.rootless = true;
        let text = render(&cluster, &facts).unwrap();
        let expected = r#"apiServer:
  certSANs:
  - localhost
  - ::1
  extraArgs:
    feature-gates: KubeletInUserNamespace=true
    runtime-config: ""
apiVersion: kubeadm.k8s.io/v1beta3
clusterName: kind
controlPlaneEndpoint: kind-control-plane:6443
controllerManager:
  extraArgs:
    bind-address: '::'
    enable-hostpath-provisioner: "true"
    feature-gates: KubeletInUserNamespace=true
kind: ClusterConfiguration
kubernetesVersion: v1.30.0
networking:
  podSubnet: fd00:10:244::/56
  serviceSubnet: fd00:10:96::/112
scheduler:
  extraArgs:
    bind-address: ::1
    feature-gates: KubeletInUserNamespace=true
---
apiVersion: kubeadm.k8s.io/v1beta3
bootstrapTokens:
- token: abcdef.0123456789abcdef
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: fc00:f853:ccd:e793::2
  bindPort: 6443
nodeRegistration:
  criSocket: unix:///run/containerd/containerd.sock
  kubeletExtraArgs:
    node-ip: fc00:f853:ccd:e793::2
    node-labels: ""
    provider-id: kind://docker/kind/kind-control-plane
skipPhases:
- preflight
- addon/kube-proxy
---
"#;
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(text.matches("kind: KubeProxyConfiguration").count(), 0);
    }

    #[test]
    fn the_family_of_the_first_service_subnet_comes_first() {
        let subnets =
            "networking: {ipFamily: dual, serviceSubnet: \"fd00:10:96::/112,10.96.0.0/16\"}\n";
        let documents = documents(&cluster(subnets), &facts("v1.30.0")).unwrap();
        let registration = &documents[1]["nodeRegistration"];
        assert_eq!(
            registration["kubeletExtraArgs"]["node-ip"],
            "fc00:f853:ccd:e793::2,172.18.0.2"
        );
        assert_eq!(
            documents[1]["localAPIEndpoint"]["advertiseAddress"],
            "fc00:f853:ccd:e793::2"
        );
    }

    #[test]
    fn phases_of_the_image_stand_beside_those_of_every_node() {
        let mut facts = facts("v1.30.0");
        facts.skip_phases.push("addon/coredns".into());
        let documents = documents(&cluster(""), &facts).unwrap();
        assert_eq!(
            documents[1]["skipPhases"],
            serde_json::json!(["preflight", "addon/coredns"])
        );
        assert_eq!(documents[2]["skipPhases"], serde_json::json!(["preflight"]));
    }

    #[test]
    fn new_kubelets_are_told_to_accept_cgroup_v1() {
        for (version, told) in [("v1.34.0", false), ("v1.35.0", true)] {
            let mut facts = facts(version);
            facts.cgroup_v1 = true;
            let documents = documents(&cluster(""), &facts).unwrap();
            assert_eq!(
                documents[3].get("failCgroupV1").is_some(),
                told,
                "{version}"
            );
        }
    }

    #[test]
    fn nodes_that_cannot_be_are_errors() {
        let mut rootless = facts("v1.21.1");
        rootless.rootless = true;
        let mut no_ipv6 = facts("v1.36.1");
        no_ipv6.ipv6 = None;
        let stranger = NodeFacts::new("kind-worker7", "docker", "v1.36.1").unwrap();
        for (config, facts, error) in [
            (
                "",
                rootless,
                "version \"1.21.1\" is not compatible with rootless provider (hint: kind v0.11.x may work with this version)",
            ),
            (
                "networking: {ipFamily: ipv6}\n",
                no_ipv6,
                "failed to get IPv6 address for node kind-control-plane; is docker configured to use IPv6 correctly?",
            ),
            (
                "",
                stranger,
                "failed to match node \"kind-worker7\" to config",
            ),
        ] {
            assert_eq!(
                render(&cluster(config), &facts).unwrap_err().to_string(),
                error
            );
        }
        assert!(NodeFacts::new("a", "docker", "latest").is_err());
    }

    #[test]
    fn helper_metadata_of_old_patches_does_not_stay() {
        let config = "kubeadmConfigPatches:\n- \"kind: InitConfiguration\\nmetadata: {name: config}\\n\"\n\
                      - \"kind: JoinConfiguration\\nmetadata: {name: config, x: 1}\\n\"\n";
        let text = render(&cluster(config), &facts("v1.36.1")).unwrap();
        let documents: Vec<&str> = text.split("---\n").collect();
        assert!(!documents[1].contains("metadata"));
        assert!(documents[2].contains("\nmetadata:\n  x: 1\nnodeRegistration:"));
    }

    #[test]
    fn bad_patches_are_named() {
        let config = "nodes:\n- role: control-plane\n  kubeadmConfigPatches: [a, b]\n";
        assert_eq!(
            render(&cluster(config), &facts("v1.36.1"))
                .unwrap_err()
                .to_string(),
            "failed to generate kubeadm config content: failed to parse patches: \
             nodes[0].kubeadmConfigPatches[0]: it must be a mapping like the document that it changes"
        );
    }
}
