//! Using the pod addresses that a node really got.
//!
//! A node starts with the pod network's configuration for the addresses that the plan has for it. If the
//! controller manager was faster and gave it others, the configuration must follow before a pod starts.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Node;
use kind_node::cni;
use kube::api::Api;

use super::block_on;
use crate::network::configuration;
use crate::{complain, kubernetes};

const KUBECONFIG: &str = "/etc/kubernetes/kubelet.conf";
/// The pod network's own program does the same when it starts; nothing is lost after this time.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until the node that is named has pod addresses, and has new pods use them.
pub(crate) fn follow(arguments: &[String]) -> ExitCode {
    let [node] = arguments else {
        return complain("follow-pod-cidrs takes the name of the node");
    };
    let mut written = Ok(());
    block_on(async {
        if let Ok(cidrs) = tokio::time::timeout(LIMIT, given(node)).await {
            written = configuration::follow(Path::new(cni::PATH), &cidrs);
        }
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string()),
    }
}

/// The addresses that the node was given.
async fn given(node: &str) -> Vec<IpNet> {
    loop {
        if let Ok(client) = kubernetes::client_of(Path::new(KUBECONFIG)).await
            && let Ok(Some(node)) = Api::<Node>::all(client).get_opt(node).await
            && let Some(cidrs) = node.spec.and_then(|spec| spec.pod_cidrs)
            && !cidrs.is_empty()
        {
            return cidrs.iter().filter_map(|cidr| cidr.parse().ok()).collect();
        }
        tokio::time::sleep(PAUSE).await;
    }
}
