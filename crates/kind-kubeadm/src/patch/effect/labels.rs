//! Labels of the configuration that a patch takes away.

use super::arguments::named_arguments;
use super::candidate::Candidate;
use super::level::Level;

/// kubeadm's arguments are merged by their names: a patch's `node-labels` replaces what stands at `labels` of a node.
/// The original does the same.
pub(super) fn lost_labels(candidate: &Candidate, level: &Level) -> Option<String> {
    let arguments = candidate.value(&["nodeRegistration", "kubeletExtraArgs"])?;
    let arguments = named_arguments(arguments).into_iter();
    let kept = arguments.filter(|(name, _)| *name == "node-labels");
    let kept: Vec<_> = kept.filter_map(|(_, value)| value.as_str()).collect();
    if kept.is_empty() {
        return None;
    }
    let pairs = kept.iter().flat_map(|text| text.split(','));
    let keys: Vec<_> = pairs
        .map(|pair| pair.split_once('=').map_or(pair, |(key, _)| key))
        .collect();
    let mut nodes = level.nodes.iter();
    nodes.find_map(|node| {
        let labels = node.labels.iter();
        let lost = labels.filter(|(key, _)| !keys.contains(&key.as_str()));
        let lost: Vec<_> = lost.map(|(key, value)| format!("{key}={value}")).collect();
        if node.registers_by != candidate.target.kind || lost.is_empty() {
            return None;
        }
        let (field, lost) = (&node.field, lost.join(","));
        Some(format!(
            "node-labels replaces {field}.labels, and {lost} is lost; write {lost},{} here, or all of them at labels",
            kept.join(",")
        ))
    })
}
