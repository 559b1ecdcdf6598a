//! What nodes say of themselves when they register, as far as patches have a part in it.

use kind_config::{Cluster, Taint, node_labels_problem, node_taints_problem};
use serde_json::Value;

use crate::patch::{PatchError, named_arguments};
use crate::settings::node_field;
use crate::{Documents, Error};

/// Labels and taints of a node's final documents with which its kubelet does not start, or does not register. What no
/// patch has a part in is checked with the rest of the configuration.
pub(crate) fn registration_problems(
    cluster: &Cluster,
    index: usize,
    documents: &Documents,
) -> Vec<Error> {
    let first = cluster.bootstrap_node();
    let name = cluster.node_names().into_iter().nth(index);
    let kind = if first == name {
        "InitConfiguration"
    } else {
        "JoinConfiguration"
    };
    let registration = documents.node_registration(kind);
    let arguments = named_arguments(&registration["kubeletExtraArgs"]);
    let texts = |flag: &'static str| {
        let meant = arguments.iter().filter(move |(name, _)| *name == flag);
        meant.filter_map(|(_, value)| value.as_str())
    };
    let labels = texts("node-labels").filter_map(node_labels_problem);
    let labels = labels.map(|reason| ("node-labels", reason));
    let flags = texts("register-with-taints").filter_map(taints_argument_problem);
    let flags = flags.map(|reason| ("register-with-taints", reason));
    let taints = node_taints_problem(&listed_taints(&registration["taints"])).into_iter();
    let taints = taints.map(|reason| ("taints", reason));
    let problems = labels.chain(flags).chain(taints);
    problems
        .filter_map(|(word, reason)| {
            let (field, line) = find_patch(cluster, index, kind, word)?;
            let error = PatchError::apply("patch", &field, kind, reason);
            Some(Error::Kubeadm(error.at_line(line)))
        })
        .collect()
}

/// The last patch that may have a part in something of a kind of documents, and its line.
fn find_patch(
    cluster: &Cluster,
    index: usize,
    kind: &str,
    word: &str,
) -> Option<(String, Option<usize>)> {
    let node = &cluster.nodes[index];
    let merge = [
        ("", &cluster.kubeadm_config_patches),
        (&node_field(index), &node.kubeadm_config_patches),
    ];
    let operations = [
        ("", &cluster.kubeadm_config_patches_json6902),
        (&node_field(index), &node.kubeadm_config_patches_json6902),
    ];
    let merge = merge.into_iter().flat_map(|(level, patches)| {
        let patches = patches.iter().enumerate();
        let meant = patches.filter(|(_, text)| text.contains(kind) && text.contains(word));
        meant.map(move |(index, text)| {
            let line = text.lines().position(|line| line.contains(word));
            let line = line.map(|before| before + 1);
            (format!("{level}kubeadmConfigPatches[{index}]"), line)
        })
    });
    let operations = operations.into_iter().flat_map(|(level, patches)| {
        let patches = patches.iter().enumerate();
        let meant = patches
            .filter(|(_, patch)| patch.kind == kind && patch.patch.contains("nodeRegistration"));
        meant.map(move |(index, _)| {
            (
                format!("{level}kubeadmConfigPatchesJSON6902[{index}]"),
                None,
            )
        })
    });
    merge.chain(operations).last()
}

/// What is wrong with a kubelet's `--register-with-taints`: `ParseTaints` of Kubernetes' `pkg/util/taints`.
fn taints_argument_problem(argument: &str) -> Option<String> {
    if argument.is_empty() {
        return None;
    }
    let mut taints = Vec::new();
    for text in argument.trim_end().split(',') {
        let Some((key, effect)) = text.split_once(':') else {
            return Some(format!("invalid taint {text:?}: it has no effect"));
        };
        let (key, value) = key.split_once('=').unwrap_or((key, ""));
        taints.push(taint(key, value, effect));
    }
    node_taints_problem(&taints)
}

fn listed_taints(taints: &Value) -> Vec<Taint> {
    let taints = taints.as_array().into_iter().flatten();
    let taints = taints.map(|one| {
        let field = |name: &str| one[name].as_str().unwrap_or_default();
        taint(field("key"), field("value"), field("effect"))
    });
    taints.collect()
}

fn taint(key: &str, value: &str, effect: &str) -> Taint {
    let mut taint = Taint::default();
    key.clone_into(&mut taint.key);
    value.clone_into(&mut taint.value);
    let Ok(effect) = effect.parse();
    taint.effect = effect;
    taint
}
