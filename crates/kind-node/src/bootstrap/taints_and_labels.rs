//! Taking marks of a control plane off the only node of a cluster, so that ordinary pods run on it and load
//! balancers send it traffic.

use std::process::ExitCode;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::admin_client;
use crate::usage::exit_with_failure;

/// Load balancers leave a node with this label out.
const LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// What the server answers when somebody else was faster.
const CONFLICT: u16 = 409;

/// Removes that label and the taints with the keys that are named from all nodes.
pub(crate) fn remove_taints_and_label(keys: &[String]) -> ExitCode {
    match admin_client::block_on(remove_from_nodes(keys)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => exit_with_failure(&format!("cannot change a node: {error}")),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

async fn remove_from_nodes(keys: &[String]) -> Result<(), kube::Error> {
    let nodes: Api<Node> = Api::all(admin_client::admin_client().await);
    for node in nodes.list(&ListParams::default()).await? {
        let name = node.metadata.name.clone().unwrap_or_default();
        let mut node = node;
        while !patch_node(&nodes, &name, removal_patch(&node, keys)).await? {
            node = nodes.get(&name).await?;
        }
    }
    Ok(())
}

/// Changes a node unless it is another one by now.
async fn patch_node(nodes: &Api<Node>, name: &str, patch: Value) -> Result<bool, kube::Error> {
    let params = PatchParams::default();
    match nodes.patch(name, &params, &Patch::Merge(patch)).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == CONFLICT => Ok(false),
        Err(error) => Err(error),
    }
}

/// The change of a node as it was read: a list is replaced as a whole, so others' taints stand in it.
fn removal_patch(node: &Node, keys: &[String]) -> Value {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref());
    let kept = taints.unwrap_or_default().iter();
    let kept: Vec<_> = kept.filter(|taint| !keys.contains(&taint.key)).collect();
    json!({
        "metadata": {
            "resourceVersion": node.metadata.resource_version,
            "labels": { LABEL: null },
        },
        "spec": { "taints": kept },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_of_others_stay() {
        let node = json!({
            "metadata": { "resourceVersion": "7" },
            "spec": { "taints": [
                { "key": "control", "effect": "NoSchedule" },
                { "key": "other", "effect": "NoExecute" },
            ] },
        });
        let node: Node = serde_json::from_value(node).unwrap();
        let patch = removal_patch(&node, &["control".to_owned(), "absent".to_owned()]);
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        assert_eq!(patch["metadata"]["labels"], json!({ LABEL: null }));
        let kept = json!([{ "key": "other", "effect": "NoExecute" }]);
        assert_eq!(patch["spec"]["taints"], kept);
    }

    #[test]
    fn a_node_without_taints_has_none_after() {
        let patch = removal_patch(&Node::default(), &["control".to_owned()]);
        assert_eq!(patch["spec"]["taints"], json!([]));
    }
}
