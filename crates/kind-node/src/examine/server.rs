//! What the API server of this node knows.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kind_node::examination::Server;
use kube::Client;
use kube::api::{Api, ListParams};
use tokio::time::timeout;

use crate::kubernetes::{self, find_shortage, judge_node, judge_pod};

/// The manifest by which a kubelet runs an API server here.
const MANIFEST: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
/// The administrator's kubeconfig, as kubeadm writes it.
const KUBECONFIG: &str = "/etc/kubernetes/admin.conf";
/// That server, whatever the node's addresses are.
const LOCAL: &str = "https://localhost:6443";
/// Who asks does not wait longer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(900);

/// Asks it, if there is one.
pub(super) fn ask_server() -> Option<Server> {
    if !Path::new(MANIFEST).exists() {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let asked = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| {
            let asked = runtime.block_on(async { timeout(ANSWER_TIMEOUT, list_unready()).await });
            asked.unwrap_or_else(|_| Err(format!("no answer within {ANSWER_TIMEOUT:?}")))
        });
    Some(asked.unwrap_or_else(|failure| Server {
        failure: Some(failure),
        ..Server::default()
    }))
}

async fn list_unready() -> Result<Server, String> {
    let client = kubernetes::client_of_at(Path::new(KUBECONFIG), LOCAL).await;
    let client: Client = client.map_err(|error| error.to_string())?;
    let nodes: Api<Node> = Api::all(client.clone());
    let pods: Api<Pod> = Api::namespaced(client.clone(), "kube-system");
    let every = ListParams::default();
    let (version, nodes, pods) = tokio::join!(
        client.apiserver_version(),
        nodes.list(&every),
        pods.list(&every)
    );
    let nodes = nodes.map_err(|error| error.to_string())?;
    let pods = pods.map_err(|error| error.to_string())?;
    Ok(Server {
        failure: None,
        version: version
            .map(|version| version.git_version)
            .unwrap_or_default(),
        short_nodes: nodes.items.iter().filter_map(find_shortage).collect(),
        unready_nodes: nodes.items.iter().filter_map(judge_node).collect(),
        unready_pods: pods.items.iter().filter_map(judge_pod).collect(),
    })
}
