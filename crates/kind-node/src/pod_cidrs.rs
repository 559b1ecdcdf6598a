//! Giving new nodes the pod addresses that the plan has for them.
//!
//! The controller manager would do it too, but it takes its time to start, and leaves nodes that have
//! addresses as they are. When a node gets its addresses, its kubelet reports the node's state at once,
//! and otherwise every ten seconds. Kubelets before 1.25 do so only that one time: the moment is chosen
//! when nothing else stands between the node and Ready.
//!
//! Once the controller manager works, it alone gives out addresses: it would not learn of an address
//! that a node got from here, and give it to the next node as well.

mod follow;

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::storage::v1::CSINode;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};

use crate::kubernetes;

pub(crate) use follow::follow;

/// Kubeconfigs that kubeadm writes, the one that may do everything from the start first: since
/// Kubernetes 1.29 the other may do nothing until a role binding exists.
const KUBECONFIGS: [&str; 2] = [
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/admin.conf",
];
/// How long the API server and the nodes' registration may take.
const LIMIT: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(50);
const NOTICE: Duration = Duration::from_millis(100);

/// Waits until the nodes are registered and sets their pod addresses; an argument is
/// `NODE=CIDR,CIDR`.
///
/// Never fails: what cannot be set here is set by the controller manager.
pub(crate) fn assign(arguments: &[String]) -> std::process::ExitCode {
    let shares = arguments.iter().filter_map(|share| share.split_once('='));
    let shares: Vec<(&str, Vec<&str>)> = shares
        .map(|(node, cidrs)| (node, cidrs.split(',').collect()))
        .collect();
    block_on(async {
        tokio::select! {
            () = assign_all(&shares) => {}
            () = controller_manager() => {}
            () = tokio::time::sleep(LIMIT) => {}
        }
    });
    std::process::ExitCode::SUCCESS
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    if let Ok(runtime) = runtime {
        runtime.block_on(work);
    }
}

async fn assign_all(shares: &[(&str, Vec<&str>)]) {
    let assignments = shares.iter().map(|(node, cidrs)| assign_one(node, cidrs));
    join_all(assignments).await;
}

async fn assign_one(node: &str, cidrs: &[&str]) {
    let client = registered(node).await;
    let nodes: Api<Node> = Api::all(client);
    let patch = serde_json::json!({ "spec": { "podCIDR": cidrs.first(), "podCIDRs": cidrs } });
    // Refused if others were faster, which is as well.
    let _ = nodes
        .patch(node, &PatchParams::default(), &Patch::Strategic(patch))
        .await;
}

/// Waits until the kubelet has registered the node and, a little later, its volume plugins.
async fn registered(node: &str) -> Client {
    loop {
        if let Some(client) = client().await {
            let plugins: Api<CSINode> = Api::all(client.clone());
            if matches!(plugins.get_opt(node).await, Ok(Some(_))) {
                // The kubelet takes note of its own success right after the object is there.
                tokio::time::sleep(NOTICE).await;
                return client;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until a controller manager has begun to work.
async fn controller_manager() {
    loop {
        if let Some(client) = client().await {
            let leases: Api<Lease> = Api::namespaced(client, "kube-system");
            if matches!(leases.get_opt("kube-controller-manager").await, Ok(Some(_))) {
                return;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The API server, once kubeadm has written a kubeconfig.
async fn client() -> Option<Client> {
    let path = KUBECONFIGS
        .iter()
        .map(Path::new)
        .find(|path| path.exists())?;
    kubernetes::client_of(path).await.ok()
}
