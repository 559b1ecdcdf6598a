//! `kind.x-k8s.io/v1alpha4`: the fields of its documents and where they go in the model.
//!
//! The format is frozen: new fields arrive with a new version in a module of its own. Type names are
//! those of kind's own messages.

use crate::Error;
use crate::fields::{Decode, Decoder, Fields};
use crate::model::{
    Cluster, IpFamily, JsonPatch, KubeProxyMode, Mount, Networking, Node, PortMapping, Propagation,
    Protocol, Role,
};
use crate::yaml;
use crate::yaml::tree::Tree;

/// What stands at `apiVersion`.
pub(crate) const API_VERSION: &str = "kind.x-k8s.io/v1alpha4";

/// Reads a document.
pub(crate) fn decode(tree: &Tree) -> Result<Cluster, Error> {
    let mut decoder = Decoder::new(place);
    let cluster = decoder.value(tree).unwrap_or_default();
    if let Some(word) = decoder.take_word() {
        return Err(word);
    }
    let problems = decoder.into_problems();
    if problems.is_empty() {
        Ok(cluster)
    } else {
        Err(Error::Decode(yaml::Error::Content(problems)))
    }
}

/// Where a field belongs.
fn place(field: &str) -> Option<&'static str> {
    [
        (Cluster::FIELDS, "the top level"),
        (Networking::FIELDS, "`networking`"),
        (Node::FIELDS, "an entry of `nodes`"),
        (Mount::FIELDS, "an entry of a node's `extraMounts`"),
        (
            PortMapping::FIELDS,
            "an entry of a node's `extraPortMappings`",
        ),
    ]
    .into_iter()
    .find(|(fields, _)| fields.contains(&field))
    .map(|(_, place)| place)
}

impl Fields for Cluster {
    const NAME: &'static str = "v1alpha4.Cluster";
    const FIELDS: &'static [&'static str] = &[
        "kind",
        "apiVersion",
        "name",
        "nodes",
        "networking",
        "featureGates",
        "runtimeConfig",
        "kubeadmConfigPatches",
        "kubeadmConfigPatchesJSON6902",
        "containerdConfigPatches",
        "containerdConfigPatchesJSON6902",
    ];

    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool {
        match name {
            "kind" | "apiVersion" => {}
            "name" => decoder.read(value, &mut self.name),
            "nodes" => decoder.read(value, &mut self.nodes),
            "networking" => decoder.read(value, &mut self.networking),
            "featureGates" => decoder.read(value, &mut self.feature_gates),
            "runtimeConfig" => decoder.read(value, &mut self.runtime_config),
            "kubeadmConfigPatches" => decoder.read(value, &mut self.kubeadm_config_patches),
            "kubeadmConfigPatchesJSON6902" => {
                decoder.read(value, &mut self.kubeadm_config_patches_json6902);
            }
            "containerdConfigPatches" => decoder.read(value, &mut self.containerd_config_patches),
            "containerdConfigPatchesJSON6902" => {
                decoder.read(value, &mut self.containerd_config_patches_json6902);
            }
            _ => return false,
        }
        true
    }
}

impl Fields for Node {
    const NAME: &'static str = "v1alpha4.Node";
    const FIELDS: &'static [&'static str] = &[
        "role",
        "image",
        "labels",
        "extraMounts",
        "extraPortMappings",
        "kubeadmConfigPatches",
        "kubeadmConfigPatchesJSON6902",
    ];

    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool {
        match name {
            "role" => decoder.read(value, &mut self.role),
            "image" => decoder.read(value, &mut self.image),
            "labels" => decoder.read(value, &mut self.labels),
            "extraMounts" => decoder.read(value, &mut self.extra_mounts),
            "extraPortMappings" => decoder.read(value, &mut self.extra_port_mappings),
            "kubeadmConfigPatches" => decoder.read(value, &mut self.kubeadm_config_patches),
            "kubeadmConfigPatchesJSON6902" => {
                decoder.read(value, &mut self.kubeadm_config_patches_json6902);
            }
            _ => return false,
        }
        true
    }
}

impl Fields for Networking {
    const NAME: &'static str = "v1alpha4.Networking";
    const FIELDS: &'static [&'static str] = &[
        "ipFamily",
        "apiServerPort",
        "apiServerAddress",
        "podSubnet",
        "serviceSubnet",
        "disableDefaultCNI",
        "kubeProxyMode",
        "dnsSearch",
    ];

    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool {
        match name {
            "ipFamily" => decoder.read(value, &mut self.ip_family),
            "apiServerPort" => decoder.read(value, &mut self.api_server_port),
            "apiServerAddress" => decoder.read(value, &mut self.api_server_address),
            "podSubnet" => decoder.read(value, &mut self.pod_subnet),
            "serviceSubnet" => decoder.read(value, &mut self.service_subnet),
            "disableDefaultCNI" => decoder.read(value, &mut self.disable_default_cni),
            "kubeProxyMode" => decoder.read(value, &mut self.kube_proxy_mode),
            "dnsSearch" => decoder.read(value, &mut self.dns_search),
            _ => return false,
        }
        true
    }
}

impl Fields for Mount {
    const NAME: &'static str = "v1alpha4.MountAlias";
    const FIELDS: &'static [&'static str] = &[
        "containerPath",
        "hostPath",
        "readOnly",
        "selinuxRelabel",
        "propagation",
    ];

    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool {
        match name {
            "containerPath" => decoder.read(value, &mut self.container_path),
            "hostPath" => decoder.read(value, &mut self.host_path),
            "readOnly" => decoder.read(value, &mut self.read_only),
            "selinuxRelabel" => decoder.read(value, &mut self.selinux_relabel),
            "propagation" => decoder.read(value, &mut self.propagation),
            _ => return false,
        }
        true
    }
}

impl Fields for PortMapping {
    const NAME: &'static str = "v1alpha4.PortMappingAlias";
    const FIELDS: &'static [&'static str] =
        &["containerPort", "hostPort", "listenAddress", "protocol"];

    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool {
        match name {
            "containerPort" => decoder.read(value, &mut self.container_port),
            "hostPort" => decoder.read(value, &mut self.host_port),
            "listenAddress" => decoder.read(value, &mut self.listen_address),
            "protocol" => decoder.read(value, &mut self.protocol),
            _ => return false,
        }
        true
    }
}

impl Fields for JsonPatch {
    const NAME: &'static str = "v1alpha4.PatchJSON6902";
    const FIELDS: &'static [&'static str] = &["group", "version", "kind", "patch"];

    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool {
        match name {
            "group" => decoder.read(value, &mut self.group),
            "version" => decoder.read(value, &mut self.version),
            "kind" => decoder.read(value, &mut self.kind),
            "patch" => decoder.read(value, &mut self.patch),
            // kind's documentation names these two, and nothing ever used them.
            "name" | "namespace" => {}
            _ => return false,
        }
        true
    }
}

/// Words whose check waits for validation, so that it can be reported beside everything else.
macro_rules! decode_later_checked {
    ($($name:ty),*) => {$(
        impl Decode for $name {
            fn type_name() -> String {
                String::type_name()
            }

            fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
                let word = String::decode(tree, decoder)?;
                // An empty word is as good as none.
                (!word.is_empty()).then(|| word.parse().unwrap_or_else(|error| match error {}))
            }
        }
    )*};
}

decode_later_checked!(Role, IpFamily, KubeProxyMode);

impl Decode for Propagation {
    fn type_name() -> String {
        String::type_name()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        let word = String::decode(tree, decoder)?;
        let known = [Self::None, Self::HostToContainer, Self::Bidirectional];
        match known.into_iter().find(|value| value.as_str() == word) {
            Some(value) => Some(value),
            None if word.is_empty() => None,
            None => {
                decoder.unknown_word(tree.line, "MountPropagation", word, Self::WORDS);
                None
            }
        }
    }
}

impl Decode for Protocol {
    fn type_name() -> String {
        String::type_name()
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        let word = String::decode(tree, decoder)?.to_uppercase();
        let known = [Self::Tcp, Self::Udp, Self::Sctp];
        match known.into_iter().find(|value| value.as_str() == word) {
            Some(value) => Some(value),
            None if word.is_empty() => None,
            None => {
                decoder.unknown_word(tree.line, "PortMappingProtocol", word, Self::WORDS);
                None
            }
        }
    }
}
