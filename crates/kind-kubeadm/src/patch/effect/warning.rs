//! What is told of patches.

use kind_config::Cluster;

use super::candidate::Candidate;
use super::level::Level;
use super::{etcd, fields, gates, labels, leaving, replaced, rules, static_pods};

const KUBELET_ARGUMENTS: &str = "nodeRegistration.kubeletExtraArgs";

/// A patch that is probably not what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchWarning {
    /// Where the patch stands in the cluster's configuration, for example `nodes[1].kubeadmConfigPatches[0]`.
    pub field: String,
    /// The line of the patch, from 1, if it is one.
    pub line: Option<usize>,
    /// What is the matter with it.
    pub reason: String,
}

impl PatchWarning {
    /// The field, and after a colon the line of its text.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.field),
            None => self.field.clone(),
        }
    }
}

/// The kubeadm patches of a cluster that have no effect, or whose fields have none. Patches that cannot be read are none
/// of them.
pub fn patch_warnings(cluster: &Cluster) -> Vec<PatchWarning> {
    let levels = Level::of_cluster(cluster);
    let told = levels.iter().flat_map(|level| {
        let candidates = level.candidates.iter();
        candidates.flat_map(|candidate| warnings_of(candidate, level))
    });
    told.collect()
}

fn warnings_of(candidate: &Candidate, level: &Level) -> Vec<PatchWarning> {
    let warning = |line, reason| PatchWarning {
        field: candidate.field.clone(),
        line,
        reason,
    };
    if let Some(reason) = rules::useless_because(candidate, level) {
        return vec![warning(None, reason)];
    }
    let etcd = etcd::stops_because(candidate, level).into_iter();
    let etcd = etcd.map(|reason| warning(None, reason));
    let gates = gates::refused_gates(candidate, level).into_iter();
    let gates = gates.map(|(place, reason)| warning(candidate.line_of(&place), reason));
    let fields = fields::useless_fields(candidate, level).into_iter();
    let fields = fields.map(|field| warning(candidate.line_of(&field.place), field.reason));
    let leaving = leaving::leaving_because(candidate, level).into_iter();
    let leaving = leaving.map(|reason| warning(candidate.line_of("mode"), reason));
    let lost = labels::lost_labels(candidate, level).into_iter();
    let lost = lost.map(|reason| warning(candidate.line_of(KUBELET_ARGUMENTS), reason));
    let replaced = replaced::replaced_arguments(candidate, level).into_iter();
    let replaced = replaced.map(|(place, reason)| warning(candidate.line_of(&place), reason));
    let static_pods = static_pods::misses_because(candidate).into_iter();
    let static_pods = static_pods.map(|reason| warning(candidate.line_of("staticPodPath"), reason));
    let repeated = candidate.repeated_keys().into_iter();
    let repeated = repeated.map(|(line, reason)| {
        let reason = format!("{reason}; the last one counts");
        warning(Some(line), reason)
    });
    etcd.chain(repeated)
        .chain(gates)
        .chain(leaving)
        .chain(lost)
        .chain(replaced)
        .chain(static_pods)
        .chain(fields)
        .collect()
}
