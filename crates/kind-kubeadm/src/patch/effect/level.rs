//! Patches that stand side by side: the cluster's, or a node's.

use std::collections::BTreeMap;
use std::ops::Range;

use kind_config::{Cluster, JsonPatch, KubeProxyMode, Role, tagged_version};

use super::candidate::Candidate;
use crate::Api;
use kind_config::version::Version;

/// Which nodes a level's patches are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All, of which some join the first.
    Several,
    /// There is one node only, or this is the one that is started first.
    First,
    /// A worker.
    Worker,
    /// A further control plane.
    Other,
}

/// How a node registers.
pub(super) struct Registration {
    /// The node's place in the configuration.
    pub(super) field: String,
    /// The kind of the document that it registers by.
    pub(super) registers_by: &'static str,
    pub(super) labels: BTreeMap<String, String>,
}

pub(super) struct Level {
    pub(super) nodes: Vec<Registration>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) scope: Scope,
    pub(super) has_proxy: bool,
    /// The Kubernetes versions of the nodes; `None` if the image of one does not tell it.
    pub(super) versions: Option<Vec<Version>>,
}

fn registrations(cluster: &Cluster, nodes: Range<usize>) -> Vec<Registration> {
    let first = cluster.bootstrap_node();
    let names = cluster.node_names();
    let registrations = nodes.map(|index| Registration {
        field: format!("nodes[{index}]"),
        registers_by: if first.as_ref() == names.get(index) {
            "InitConfiguration"
        } else {
            "JoinConfiguration"
        },
        labels: cluster.nodes[index].labels.clone(),
    });
    registrations.collect()
}

impl Level {
    /// The cluster's patches, and those of each node.
    pub(super) fn of_cluster(cluster: &Cluster) -> Vec<Self> {
        let scope = if cluster.nodes.len() > 1 {
            Scope::Several
        } else {
            Scope::First
        };
        let mut levels = vec![Self::new(
            cluster,
            "",
            &cluster.kubeadm_config_patches,
            &cluster.kubeadm_config_patches_json6902,
            scope,
            0..cluster.nodes.len(),
        )];
        let first = cluster.bootstrap_node();
        for (index, name) in cluster.node_names().iter().enumerate() {
            let node = &cluster.nodes[index];
            let scope = match node.role {
                Role::Worker => Scope::Worker,
                _ if first.as_ref() == Some(name) => Scope::First,
                _ => Scope::Other,
            };
            levels.push(Self::new(
                cluster,
                &format!("nodes[{index}]."),
                &node.kubeadm_config_patches,
                &node.kubeadm_config_patches_json6902,
                scope,
                index..index + 1,
            ));
        }
        levels
    }

    fn new(
        cluster: &Cluster,
        prefix: &str,
        merge: &[String],
        operations: &[JsonPatch],
        scope: Scope,
        range: Range<usize>,
    ) -> Self {
        let merge = merge.iter().enumerate().flat_map(|(index, text)| {
            Candidate::of_merge(text, &format!("{prefix}kubeadmConfigPatches[{index}]"))
        });
        let operations = operations.iter().enumerate();
        let operations = operations.filter_map(|(index, patch)| {
            let field = format!("{prefix}kubeadmConfigPatchesJSON6902[{index}]");
            Candidate::of_operations(patch, field)
        });
        Self {
            candidates: merge.chain(operations).collect(),
            scope,
            has_proxy: cluster.networking.kube_proxy_mode != KubeProxyMode::None,
            nodes: registrations(cluster, range.clone()),
            versions: cluster.nodes[range]
                .iter()
                .map(|node| tagged_version(&node.image))
                .collect(),
        }
    }

    /// The versions of kubeadm's API that nodes here have; all of them where that is not known.
    pub(super) fn apis(&self) -> Vec<Api> {
        let Some(versions) = &self.versions else {
            return Api::ALL.to_vec();
        };
        let mut apis: Vec<_> = versions.iter().map(Api::of_kubernetes).collect();
        apis.sort_unstable();
        apis.dedup();
        apis
    }

    /// Whether another patch here makes the same change to documents that exist: users list variants for several
    /// versions of kubeadm's API side by side.
    pub(super) fn has_variant(&self, candidate: &Candidate, api_versions: &[&str]) -> bool {
        let fields = candidate.changed_fields();
        self.candidates.iter().any(|other| {
            other.target.kind == candidate.target.kind
                && api_versions.contains(&other.target.api_version.as_str())
                && fields.is_subset(&other.changed_fields())
        })
    }
}
