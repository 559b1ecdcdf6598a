//! Why a patch has no effect.

use kind_config::nearest_word;

use super::candidate::Candidate;
use super::level::{Level, Scope};
use crate::Api;
use crate::documents::{KUBE_PROXY_API, KUBELET_API};

const JOIN: &str = "JoinConfiguration";
const PROXY: &str = "KubeProxyConfiguration";
const KUBELET: &str = "KubeletConfiguration";

/// What a node has documents of.
const KINDS: [&str; 5] = [
    "ClusterConfiguration",
    "InitConfiguration",
    JOIN,
    KUBELET,
    PROXY,
];

/// What only the first node reads: `kubeadm join` takes it from the cluster.
const OF_FIRST_NODE: [&str; 3] = ["ClusterConfiguration", "InitConfiguration", PROXY];

pub(super) fn useless_because(candidate: &Candidate, level: &Level) -> Option<String> {
    let kind = candidate.target.kind.as_str();
    if kind.is_empty() {
        let reason = if candidate.is_empty() {
            "has no effect: it is empty"
        } else {
            "has no effect: it has no kind"
        };
        return Some(reason.to_owned());
    }
    unknown_kind(kind)
        .or_else(|| other_version(candidate, level))
        .or_else(|| other_node(kind, level))
        .or_else(|| {
            (!candidate.has_content())
                .then(|| "has no effect: there is nothing that it changes".to_owned())
        })
}

fn unknown_kind(kind: &str) -> Option<String> {
    if KINDS.contains(&kind) {
        return None;
    }
    let hint = match nearest_word(kind, KINDS) {
        Some(word) => format!("did you mean {word}?"),
        None => format!("there are {}", KINDS.join(", ")),
    };
    Some(format!(
        "has no effect: no document is of the kind {kind}; {hint}"
    ))
}

fn other_version(candidate: &Candidate, level: &Level) -> Option<String> {
    let (kind, api_version) = (
        &candidate.target.kind,
        candidate.target.api_version.as_str(),
    );
    let expected: Vec<&str> = match kind.as_str() {
        KUBELET => vec![KUBELET_API],
        PROXY => vec![KUBE_PROXY_API],
        _ => level.apis().into_iter().map(Api::as_str).collect(),
    };
    let fits = api_version.is_empty() || expected.contains(&api_version);
    let is_known = Api::ALL.iter().any(|api| api.as_str() == api_version);
    if fits || (is_known && level.has_variant(candidate, &expected)) {
        return None;
    }
    let expected = expected.join(" or ");
    Some(format!(
        "has no effect: {kind} of the nodes is of {expected}, not {api_version}"
    ))
}

fn other_node(kind: &str, level: &Level) -> Option<String> {
    let reason = match level.scope {
        Scope::First if kind == JOIN => "the node does not join another",
        Scope::Worker if OF_FIRST_NODE.contains(&kind) => {
            "a worker joins by its JoinConfiguration; the rest is the cluster's"
        }
        _ if kind == PROXY && !level.has_proxy => "kubeProxyMode is none",
        _ => return None,
    };
    Some(format!("{kind} has no effect here: {reason}"))
}
