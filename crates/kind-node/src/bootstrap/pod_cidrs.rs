//! Giving new nodes the pod addresses that the plan has for them.
//!
//! The controller manager would do it too, but it takes its time to start, and leaves nodes that have
//! addresses as they are. When a node gets its addresses, its kubelet reports the node's state at once,
//! and otherwise every ten seconds. Kubelets before 1.25 do so only that one time: the moment is chosen
//! when nothing else stands between the node and Ready.
//!
//! Once the controller manager works, it alone gives out addresses: it would not learn of an address
//! that a node got from here, and give it to the next node as well.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::storage::v1::CSINode;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};

use super::admin_client;

/// How long the API server and the nodes' registration may take.
const ASSIGNMENT_TIMEOUT: Duration = Duration::from_secs(180);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const KUBELET_NOTICE_DELAY: Duration = Duration::from_millis(100);

/// A node and the addresses that it is to have.
type PodCidrAssignment<'a> = (&'a str, Vec<&'a str>);

/// Waits until the nodes are registered and sets their pod addresses; an argument is
/// `NODE=CIDR,CIDR`.
///
/// Never fails: what cannot be set here is set by the controller manager.
pub(crate) fn assign_pod_cidrs(arguments: &[String]) -> ExitCode {
    let assignments = arguments
        .iter()
        .filter_map(|assignment| assignment.split_once('='));
    let assignments = assignments.map(|(node, cidrs)| (node, cidrs.split(',').collect()));
    let assigned =
        async { tokio::time::timeout(ASSIGNMENT_TIMEOUT, assign_all(assignments.collect())).await };
    // What was not in time is left to the controller manager.
    let _ = admin_client::block_on(assigned);
    ExitCode::SUCCESS
}

async fn assign_all(mut assignments: Vec<PodCidrAssignment<'_>>) {
    let client = admin_client::admin_client().await;
    while !assignments.is_empty() {
        let complete = complete_nodes(&client).await;
        let (due, rest): (Vec<_>, Vec<_>) = assignments
            .into_iter()
            .partition(|(node, _)| complete.iter().any(|name| name == node));
        assignments = rest;
        if !due.is_empty() {
            // The kubelet takes note of its own success right after the object is there.
            tokio::time::sleep(KUBELET_NOTICE_DELAY).await;
        }
        if has_controller_manager(&client).await {
            return;
        }
        for assignment in due {
            set_pod_cidrs(&client, assignment).await;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// The nodes that their kubelets have registered, and a little later their volume plugins.
async fn complete_nodes(client: &Client) -> Vec<String> {
    let plugins: Api<CSINode> = Api::all(client.clone());
    let listed = plugins.list(&ListParams::default()).await;
    let listed = listed.map(|list| list.items).unwrap_or_default();
    listed.iter().map(ResourceExt::name_any).collect()
}

/// Whether a controller manager has begun to work.
async fn has_controller_manager(client: &Client) -> bool {
    let leases: Api<Lease> = Api::namespaced(client.clone(), "kube-system");
    let lease = leases.get_opt("kube-controller-manager").await;
    matches!(lease, Ok(Some(_)))
}

async fn set_pod_cidrs(client: &Client, (node, cidrs): PodCidrAssignment<'_>) {
    let nodes: Api<Node> = Api::all(client.clone());
    let patch = serde_json::json!({ "spec": { "podCIDR": cidrs.first(), "podCIDRs": cidrs } });
    // Refused if others were faster, which is as well.
    let _ = nodes
        .patch(node, &PatchParams::default(), &Patch::Strategic(patch))
        .await;
}
