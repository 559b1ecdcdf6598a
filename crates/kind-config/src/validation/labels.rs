//! Labels of nodes. They go to the kubelet as `--node-labels`, which reads them in its own way.

use super::names::{label_value_problem, qualified_name_problem};
use crate::error::FieldError;
use crate::model::{Cluster, Node};

const SET_LATER: &str = "label the node once it runs: kubectl label node NAME KEY=VALUE";

/// Labels that a kubelet may give its node although their prefix is Kubernetes' own: `kubeletLabels` of
/// `k8s.io/kubelet/pkg/apis/well_known_labels.go`.
const OF_KUBELETS: [&str; 11] = [
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

/// Prefixes of labels that a kubelet may give its node: `kubeletLabelNamespaces` of the same file.
const PREFIXES_OF_KUBELETS: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];

/// Labels with which the node's kubelet does not start: `ValidateKubeletFlags` of Kubernetes'
/// `cmd/kubelet/app/options`.
pub(super) fn label_problems(cluster: &Cluster, node: &Node, path: &str) -> Vec<FieldError> {
    if is_replaced(cluster, node) {
        return Vec::new();
    }
    let last = node.labels.len().saturating_sub(1);
    let labels = node.labels.iter().enumerate();
    let problems = labels.filter_map(|(index, (key, value))| {
        // kubeadm hands the argument on in a line that systemd splits at blanks.
        let value = if index == last {
            value.trim_end()
        } else {
            value
        };
        let (reason, hint) = label_problem(key, value)?;
        let message = format!("invalid label {key:?}: {reason}");
        Some(FieldError::new(format!("{path}.labels"), message).hint(hint))
    });
    problems.collect()
}

/// What is wrong with a kubelet's `--node-labels`, with which it does not start.
pub fn node_labels_problem(argument: &str) -> Option<String> {
    let pairs = argument
        .trim_end()
        .split(',')
        .filter(|pair| !pair.is_empty());
    let mut labels = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    labels.find_map(|(key, value)| {
        let (reason, _) = label_problem(key, value)?;
        Some(format!("invalid label {key:?}: {reason}"))
    })
}

/// Why a label cannot be given, and maybe what to do instead.
fn label_problem(key: &str, value: &str) -> Option<(String, Option<&'static str>)> {
    if key.contains(char::is_whitespace) {
        return Some(("its key has a blank".to_owned(), None));
    }
    if value.contains(char::is_whitespace) {
        return Some((format!("its value {value:?} has a blank"), None));
    }
    read_by_kubelet(key, value)
        .into_iter()
        .find_map(|(key, value)| {
            if let Some(problem) = qualified_name_problem(&key) {
                return Some((problem.to_owned(), None));
            }
            if let Some(problem) = label_value_problem(&value) {
                return Some((format!("its value {value:?}: {problem}"), None));
            }
            let reserved = is_of_kubernetes(&key) && !is_of_kubelets(&key);
            reserved.then(|| {
                let reason =
                    "a kubelet may not give its node this label of kubernetes.io or k8s.io";
                (reason.to_owned(), Some(SET_LATER))
            })
        })
}

/// Labels that the kubelet takes for several.
pub(super) fn label_warnings(cluster: &Cluster) -> Vec<String> {
    let nodes = cluster.nodes.iter().enumerate();
    let labels =
        nodes.flat_map(|(index, node)| node.labels.iter().map(move |label| (index, label)));
    let split = labels.filter(|(_, (key, value))| key.contains(',') || value.contains(','));
    split
        .map(|(index, (key, value))| {
            let read = read_by_kubelet(key, value).into_iter();
            let read: Vec<_> = read.map(|(key, value)| format!("{key}={value}")).collect();
            let read = read.join(" and ");
            format!("nodes[{index}].labels: the kubelet takes {key}={value} for {read}")
        })
        .collect()
}

/// A label as the kubelet reads it: `ConfigurationMap` of `k8s.io/component-base/cli/flag`.
fn read_by_kubelet(key: &str, value: &str) -> Vec<(String, String)> {
    let argument = format!("{key}={value}");
    let pairs = argument.split(',').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A patch of the kubelet's argument replaces the labels.
fn is_replaced(cluster: &Cluster, node: &Node) -> bool {
    let merge = [
        &cluster.kubeadm_config_patches,
        &node.kubeadm_config_patches,
    ];
    let operations = [
        &cluster.kubeadm_config_patches_json6902,
        &node.kubeadm_config_patches_json6902,
    ];
    let mut merge = merge.into_iter().flatten();
    let mut operations = operations.into_iter().flatten();
    merge.any(|text| text.contains("node-labels"))
        || operations.any(|patch| patch.patch.contains("kubeletExtraArgs"))
}

fn is_of_kubernetes(key: &str) -> bool {
    ["kubernetes.io", "k8s.io"]
        .iter()
        .any(|domain| has_prefix_in(key, domain))
}

fn is_of_kubelets(key: &str) -> bool {
    OF_KUBELETS.contains(&key)
        || PREFIXES_OF_KUBELETS
            .iter()
            .any(|domain| has_prefix_in(key, domain))
}

/// Whether the prefix of a key is a domain or below it.
fn has_prefix_in(key: &str, domain: &str) -> bool {
    let prefix = key.split_once('/').map(|(prefix, _)| prefix);
    let rest = prefix.and_then(|prefix| prefix.strip_suffix(domain));
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
