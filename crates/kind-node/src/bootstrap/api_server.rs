//! Waiting until the API server of a new cluster takes what is to be made in it.
//!
//! That is earlier than it calls itself ready: it has its first namespace and the administrator's rights
//! a second or two before. kubeadm looks only twice a second.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Client;
use kube::api::Api;
use tokio::time::{sleep, timeout};

use super::admin_client;
use crate::usage::exit_with_failure;

/// As long as kubeadm waits for a control plane.
const API_SERVER_TIMEOUT: Duration = Duration::from_secs(240);
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Waits for the API server of the cluster that this node begins.
pub(crate) fn await_api_server() -> ExitCode {
    let waited = async { timeout(API_SERVER_TIMEOUT, wait_until_serving()).await };
    match admin_client::block_on(waited) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(_)) => exit_with_failure(&format!(
            "the API server does not serve after {API_SERVER_TIMEOUT:?}; see the logs of the kubelet and of the containers"
        )),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

async fn wait_until_serving() {
    let client = admin_client::admin_client().await;
    while !has_first_objects(&client).await {
        sleep(POLL_INTERVAL).await;
    }
}

/// Whether there is what everything else is put into, or allowed by.
async fn has_first_objects(client: &Client) -> bool {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let roles: Api<ClusterRole> = Api::all(client.clone());
    matches!(namespaces.get_opt("kube-system").await, Ok(Some(_)))
        && matches!(roles.get_opt("cluster-admin").await, Ok(Some(_)))
}
