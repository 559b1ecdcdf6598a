//! Giving a new node the pod addresses that the plan has for it.
//!
//! The controller manager would do it too, with the same result, but it takes its time to start, and
//! leaves nodes that have addresses as they are. When a node gets its addresses, its kubelet reports the
//! node's state at once, and otherwise every ten seconds. Kubelets before 1.25 do so only that one time:
//! the moment is chosen when nothing else stands between the node and Ready.

use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::storage::v1::CSINode;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};

use crate::kubernetes;

/// Kubeconfigs that kubeadm writes, the one that may do everything from the start first: since
/// Kubernetes 1.29 the other may do nothing until a role binding exists.
const KUBECONFIGS: [&str; 2] = [
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/admin.conf",
];
/// How long the API server and the node's registration may take.
const LIMIT: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(50);
const NOTICE: Duration = Duration::from_millis(100);

/// Waits until the node is registered and sets its pod addresses.
///
/// Never fails: what cannot be set here is set by the controller manager.
pub(crate) fn run(arguments: &[String]) -> std::process::ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    if let (Some((node, cidrs)), Ok(runtime)) = (arguments.split_first(), runtime) {
        runtime.block_on(assign(node, cidrs));
    }
    std::process::ExitCode::SUCCESS
}

async fn assign(node: &str, cidrs: &[String]) {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Some(client) = client().await
            && is_complete(&client, node).await
        {
            let nodes: Api<Node> = Api::all(client);
            let patch =
                serde_json::json!({ "spec": { "podCIDR": cidrs.first(), "podCIDRs": cidrs } });
            // Refused if others were faster, which is as well.
            let _ = nodes
                .patch(node, &PatchParams::default(), &Patch::Strategic(patch))
                .await;
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The kubelet has registered the node and, a little later, its volume plugins.
async fn is_complete(client: &Client, node: &str) -> bool {
    let plugins: Api<CSINode> = Api::all(client.clone());
    if !plugins
        .get_opt(node)
        .await
        .is_ok_and(|found| found.is_some())
    {
        return false;
    }
    // The kubelet takes note of its own success right after the object is there.
    tokio::time::sleep(NOTICE).await;
    true
}

/// The API server, once kubeadm has written a kubeconfig.
async fn client() -> Option<Client> {
    let path = KUBECONFIGS
        .iter()
        .map(Path::new)
        .find(|path| path.exists())?;
    kubernetes::client_of(path).await.ok()
}
