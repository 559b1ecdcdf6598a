//! Noting in a cluster that its nodes are about to stop.
//!
//! Until somebody notices the end of a node, the cluster calls it Ready, which is not true; and a kubelet that
//! starts again and finds itself called Ready has no hurry to say so, for ten seconds.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::admin_client;

/// How long that may take: the nodes stop anyway.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

/// Calls all nodes of the cluster not Ready.
///
/// Never fails: a cluster that does not answer can be stopped too.
pub(crate) fn note_shutdown() -> ExitCode {
    let noted = async { tokio::time::timeout(STATUS_TIMEOUT, note_in_cluster()).await };
    let _ = admin_client::block_on(noted);
    ExitCode::SUCCESS
}

async fn note_in_cluster() -> Result<(), kube::Error> {
    let nodes: Api<Node> = Api::all(admin_client::admin_client().await);
    let patch = Patch::Strategic(stopped_condition(Timestamp::now()));
    for node in nodes.list(&ListParams::default()).await? {
        let params = PatchParams::default();
        nodes
            .patch_status(&node.name_any(), &params, &patch)
            .await?;
    }
    Ok(())
}

/// The change of a node's status, as the cluster makes it when a kubelet has not been heard of.
fn stopped_condition(now: Timestamp) -> Value {
    json!({ "status": { "conditions": [{
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "kind stopped the node.",
        "lastTransitionTime": now,
    }] } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_node_is_not_called_ready() {
        let patch = stopped_condition("2026-01-02T03:04:05Z".parse().unwrap());
        let condition = &patch["status"]["conditions"][0];
        assert_eq!(condition["type"], "Ready");
        assert_eq!(condition["status"], "Unknown");
        assert_eq!(condition["lastTransitionTime"], "2026-01-02T03:04:05Z");
    }
}
