//! Waiting until this node is known to its cluster, and what is to be done then.
//!
//! A node that starts alone is not joined by `kubeadm join`: the note that it leaves at the node is made
//! here. And a node starts with the pod network's configuration for the addresses that the plan has for
//! it: if the controller manager gave it others, the configuration must follow before a pod starts.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Node;
use kind_node::cni;
use kube::api::{Api, Patch, PatchParams};
use tokio::time::{sleep, timeout};

use crate::kubernetes;
use crate::pod_addresses;
use crate::usage::{exit_with_failure, exit_with_usage};

const KUBECONFIG: &str = "/etc/kubernetes/kubelet.conf";
/// Where kubeadm looks for the container runtime of a node that it is to upgrade or reset.
const CRI_SOCKET: &str = "kubeadm.alpha.kubernetes.io/cri-socket";
/// How long a first control plane may take to serve, as long as `kubeadm join` waits for it.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(300);
/// The pod network's own program follows the addresses too; nothing is lost after this time.
const POD_CIDR_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What the arguments ask for.
struct Wanted<'a> {
    node: &'a str,
    cri_socket: Option<&'a str>,
    pod_network: bool,
}

/// Waits for the node that is named: `NODE [--cri-socket=SOCKET] [--pod-network]`.
pub(crate) fn await_registration(arguments: &[String]) -> ExitCode {
    let Some(wanted) = parse_arguments(arguments) else {
        return exit_with_usage(
            "await-registration takes NODE [--cri-socket=SOCKET] [--pod-network]",
        );
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(attend_registration(&wanted)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => exit_with_failure(&problem),
    }
}

fn parse_arguments(arguments: &[String]) -> Option<Wanted<'_>> {
    let (node, flags) = arguments.split_first()?;
    let mut wanted = Wanted {
        node,
        cri_socket: None,
        pod_network: false,
    };
    for flag in flags {
        match flag.split_once('=') {
            Some(("--cri-socket", socket)) => wanted.cri_socket = Some(socket),
            None if flag == "--pod-network" => wanted.pod_network = true,
            _ => return None,
        }
    }
    (!node.starts_with('-')).then_some(wanted)
}

async fn attend_registration(wanted: &Wanted<'_>) -> Result<(), String> {
    let (nodes, last) = (
        node_api().await,
        format!("{} is not registered", wanted.node),
    );
    let registered = timeout(REGISTRATION_TIMEOUT, await_node(&nodes, wanted.node)).await;
    registered
        .map_err(|_| format!("{last} after {REGISTRATION_TIMEOUT:?}; see the kubelet's log"))?;
    if let Some(socket) = wanted.cri_socket {
        let note = serde_json::json!({ "metadata": { "annotations": { CRI_SOCKET: socket } } });
        let noted = nodes
            .patch(wanted.node, &PatchParams::default(), &Patch::Merge(note))
            .await;
        noted.map_err(|error| format!("cannot note the socket at {}: {error}", wanted.node))?;
    }
    if wanted.pod_network
        && let Ok(cidrs) = timeout(POD_CIDR_TIMEOUT, await_pod_cidrs(&nodes, wanted.node)).await
    {
        pod_addresses::follow_pod_cidrs(Path::new(cni::PATH), &cidrs)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The API server as the kubelet reaches it, once the kubelet has a kubeconfig.
async fn node_api() -> Api<Node> {
    loop {
        match kubernetes::client_of(Path::new(KUBECONFIG)).await {
            Ok(client) => return Api::all(client),
            Err(_) => sleep(POLL_INTERVAL).await,
        }
    }
}

async fn await_node(nodes: &Api<Node>, node: &str) -> Node {
    loop {
        match nodes.get_opt(node).await {
            Ok(Some(node)) => return node,
            _ => sleep(POLL_INTERVAL).await,
        }
    }
}

/// The pod addresses that the node was given.
async fn await_pod_cidrs(nodes: &Api<Node>, node: &str) -> Vec<IpNet> {
    loop {
        let spec = await_node(nodes, node).await.spec.unwrap_or_default();
        let cidrs = spec.pod_cidrs.unwrap_or_default();
        if !cidrs.is_empty() {
            return cidrs.iter().filter_map(|cidr| cidr.parse().ok()).collect();
        }
        sleep(POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_are_a_node_and_what_is_wanted() {
        let arguments = words("a --cri-socket=unix:///run/c.sock --pod-network");
        let wanted = parse_arguments(&arguments).unwrap();
        assert_eq!(wanted.node, "a");
        assert_eq!(wanted.cri_socket, Some("unix:///run/c.sock"));
        assert!(wanted.pod_network);
        assert!(!parse_arguments(&words("a")).unwrap().pod_network);
        for wrong in ["", "--pod-network", "a b", "a --other", "a --pod-network=x"] {
            assert!(parse_arguments(&words(wrong)).is_none(), "{wrong}");
        }
    }
}
