//! Feature gates of single components, with which these do not start.

use kind_config::{GateProblem, feature_gate_problem};
use serde_json::Value;

use super::arguments::{COMPONENTS, named_arguments};
use super::candidate::Candidate;
use super::level::Level;

/// Documents whose `featureGates` are Kubernetes' own; those of ClusterConfiguration are kubeadm's.
const DOCUMENTS: [&str; 2] = ["KubeletConfiguration", "KubeProxyConfiguration"];

/// A feature gate that a component refuses: where it stands in the patch, and why.
pub(super) fn refused_gates(candidate: &Candidate, level: &Level) -> Vec<(String, String)> {
    let versions = level.versions.iter().flatten();
    let versions: Vec<_> = versions.collect();
    let set = set_gates(candidate).into_iter();
    let refused = set.filter_map(|(place, name, on)| {
        let mut found = versions.iter();
        let problem = found.find_map(|version| feature_gate_problem(&name, on, version))?;
        Some((place, told(&problem)))
    });
    refused.collect()
}

fn told(problem: &GateProblem) -> String {
    format!("what reads it does not start: {problem}")
}

/// The gates of a patch with their places and values.
fn set_gates(candidate: &Candidate) -> Vec<(String, String, bool)> {
    let kind = candidate.target.kind.as_str();
    if DOCUMENTS.contains(&kind) {
        let gates = candidate
            .value(&["featureGates"])
            .and_then(Value::as_object);
        let gates = gates.into_iter().flatten();
        return gates
            .filter_map(|(name, on)| {
                Some((format!("featureGates.{name}"), name.clone(), on.as_bool()?))
            })
            .collect();
    }
    let places = COMPONENTS.iter().filter(|(of, _)| *of == kind);
    let arguments = places.filter_map(|(_, path)| Some((path.join("."), candidate.value(path)?)));
    arguments
        .flat_map(|(place, arguments)| gates_of_arguments(&place, arguments))
        .collect()
}

/// The gates of arguments like `feature-gates=A=true,B=false`.
fn gates_of_arguments(place: &str, arguments: &Value) -> Vec<(String, String, bool)> {
    let arguments = named_arguments(arguments).into_iter();
    let texts = arguments.filter(|(name, _)| *name == "feature-gates");
    let texts = texts.filter_map(|(_, value)| value.as_str());
    let pairs = texts.flat_map(|text| text.split(','));
    pairs
        .filter_map(|pair| {
            let (name, on) = pair.split_once('=')?;
            Some((
                place.to_owned(),
                name.trim().to_owned(),
                on.trim().parse().ok()?,
            ))
        })
        .collect()
}
