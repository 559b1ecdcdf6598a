//! Patches that change nothing, or that Kubernetes' version makes harmful. All of them are taken, as the original
//! takes them.

mod candidate;
mod etcd;
mod level;
mod rules;
#[cfg(test)]
mod tests;

use kind_config::Cluster;

use level::Level;

/// A patch that is probably not what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchWarning {
    /// Where the patch stands in the cluster's configuration, for example `nodes[1].kubeadmConfigPatches[0]`.
    pub field: String,
    /// What is the matter with it.
    pub reason: String,
}

/// The kubeadm patches of a cluster that have no effect. Patches that cannot be read are none of them.
pub fn patch_warnings(cluster: &Cluster) -> Vec<PatchWarning> {
    let levels = Level::of_cluster(cluster);
    levels.iter().flat_map(level_warnings).collect()
}

fn level_warnings(level: &Level) -> Vec<PatchWarning> {
    let candidates = level.candidates.iter();
    let warnings = candidates.filter_map(|candidate| {
        let reason = rules::useless_because(candidate, level);
        Some(PatchWarning {
            reason: reason.or_else(|| etcd::stops_because(candidate, level))?,
            field: candidate.field.clone(),
        })
    });
    warnings.collect()
}
