//! Feature gates with which Kubernetes' components do not start: `SetFromMap` of `k8s.io/component-base/featuregate`
//! refuses names that it does not know, and other values than what a gate is locked to.

use super::table::{COMPLETE, Gate, find_gate, known_gates};
use crate::error::FieldError;
use crate::model::Cluster;
use crate::nearest::nearest_word;
use crate::tagged_version;
use crate::version::Version;

/// Why a component does not start with a feature gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateProblem {
    /// What is wrong with it.
    pub reason: String,
    /// What to do, if that is known.
    pub hint: Option<String>,
    /// False where the table of gates may be older than the nodes' Kubernetes.
    pub(super) is_certain: bool,
}

/// What is wrong with a feature gate on nodes of a Kubernetes version.
pub fn feature_gate_problem(name: &str, value: bool, version: &Version) -> Option<GateProblem> {
    match find_gate(name) {
        Some(gate) => known_gate_problem(gate, value, version),
        None => unknown_gate_problem(name, version),
    }
}

fn known_gate_problem(gate: &Gate, value: bool, version: &Version) -> Option<GateProblem> {
    let name = gate.name;
    let certain = |reason, hint: Option<String>| {
        Some(GateProblem {
            reason,
            hint,
            is_certain: true,
        })
    };
    if let Some(first) = gate.first.as_ref().filter(|first| version < *first) {
        let reason = format!(
            "Kubernetes {} has no feature gate {name}: it came with {}",
            minor(version),
            minor(first)
        );
        return certain(reason, None);
    }
    if let Some(gone) = gate.gone.as_ref().filter(|gone| version >= *gone) {
        let reason = format!(
            "Kubernetes {} has no feature gate {name} any more: it went with {}",
            minor(version),
            minor(gone)
        );
        let always = gate.locked.as_ref();
        let always = always.map(|(locked, _)| format!("leave it out: it is always {locked} now"));
        return certain(reason, Some(always.unwrap_or("leave it out".to_owned())));
    }
    let (locked, since) = gate.locked.as_ref()?;
    (version >= since && *locked != value).then(|| GateProblem {
        reason: format!(
            "feature gate {name} is locked to {locked} since Kubernetes {}",
            minor(since)
        ),
        hint: Some("leave it out".to_owned()),
        is_certain: true,
    })
}

fn unknown_gate_problem(name: &str, version: &Version) -> Option<GateProblem> {
    let number = (version.major(), version.minor());
    let [first, last] = COMPLETE;
    if number < first {
        return None;
    }
    let near = nearest_word(name, known_gates().iter().map(|gate| gate.name));
    Some(GateProblem {
        reason: format!(
            "no Kubernetes from {}.{} to {}.{} has a feature gate {name}",
            first.0, first.1, last.0, last.1
        ),
        // One that is like no other may be a gate that the table lacks.
        is_certain: number <= last && near.is_some(),
        hint: near.map(|near| format!("did you mean {near}?")),
    })
}

/// Feature gates of all components with which some node does not start.
pub(in crate::validation) fn gate_problems(cluster: &Cluster) -> Vec<FieldError> {
    let found = problems(cluster).filter(|(_, problem)| problem.is_certain);
    found
        .map(|(name, GateProblem { reason, hint, .. })| {
            FieldError::new(format!("featureGates.{name}"), reason).hint(hint)
        })
        .collect()
}

/// Feature gates that later versions than the known ones may have.
pub(in crate::validation) fn gate_warnings(cluster: &Cluster) -> Vec<String> {
    let found = problems(cluster).filter(|(_, problem)| !problem.is_certain);
    found
        .map(|(name, problem)| format!("featureGates.{name}: {problem}"))
        .collect()
}

fn problems(cluster: &Cluster) -> impl Iterator<Item = (&String, GateProblem)> {
    let versions = cluster.nodes.iter();
    let versions: Vec<_> = versions
        .filter_map(|node| tagged_version(&node.image))
        .collect();
    cluster.feature_gates.iter().filter_map(move |(name, on)| {
        let mut found = versions.iter();
        let problem = found.find_map(|version| feature_gate_problem(name, *on, version))?;
        Some((name, problem))
    })
}

/// A version as people call a release of Kubernetes.
fn minor(version: &Version) -> String {
    format!("{}.{}", version.major(), version.minor())
}

impl std::fmt::Display for GateProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a gate, empty if nothing.
    fn told(name: &str, value: bool, version: &str) -> String {
        let problem = feature_gate_problem(name, value, &version.parse().unwrap());
        problem.map_or(String::new(), |problem| problem.to_string())
    }

    #[test]
    fn feature_gates_that_a_version_takes_are_not_told() {
        for (name, value, version) in [
            ("AllAlpha", true, "v1.37.0"),
            ("APIListChunking", true, "v1.32.4"),
            ("ImageVolume", true, "v1.31.0"),
            ("SidecarContainers", true, "v1.36.1"),
            ("KubeletInUserNamespace", true, "v1.22.0"),
            ("IPv6DualStack", false, "v1.20.15"),
            ("NoSuchThing", true, "v1.19.1"),
            ("ClientsAllowCBOR", true, "v1.33.1"),
        ] {
            assert_eq!(told(name, value, version), "", "{name} {version}");
        }
    }

    #[test]
    fn feature_gates_that_do_not_exist_are_gone_or_locked_are_told() {
        for (name, value, version, expected) in [
            (
                "ImageVolumes",
                true,
                "v1.33.0",
                "no Kubernetes from 1.20 to 1.36 has a feature gate ImageVolumes; did you mean ImageVolume?",
            ),
            (
                "ImageVolume",
                true,
                "v1.30.0",
                "Kubernetes 1.30 has no feature gate ImageVolume: it came with 1.31",
            ),
            (
                "APIListChunking",
                true,
                "v1.33.0",
                "Kubernetes 1.33 has no feature gate APIListChunking any more: it went with 1.33; leave it out: it is always true now",
            ),
            (
                "DynamicKubeletConfig",
                true,
                "v1.26.0",
                "Kubernetes 1.26 has no feature gate DynamicKubeletConfig any more: it went with 1.26; leave it out",
            ),
            (
                "APIListChunking",
                false,
                "v1.29.0",
                "feature gate APIListChunking is locked to true since Kubernetes 1.29; leave it out",
            ),
            (
                "SidecarContainers",
                true,
                "v1.37.0",
                "Kubernetes 1.37 has no feature gate SidecarContainers any more: it went with 1.37; leave it out: it is always true now",
            ),
        ] {
            assert_eq!(told(name, value, version), expected);
        }
    }

    #[test]
    fn a_version_later_than_the_table_may_have_others() {
        let problem = |name: &str, version: &str| {
            feature_gate_problem(name, true, &version.parse().unwrap()).unwrap()
        };
        assert!(problem("ImageVolumes", "v1.36.9").is_certain);
        assert!(!problem("ImageVolumes", "v1.37.0").is_certain);
        // The table may lack one, but hardly one that is called nearly so.
        assert!(!problem("QuiteAnotherThing", "v1.36.9").is_certain);
    }
}
