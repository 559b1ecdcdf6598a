//! The end of the token by which the nodes of a new cluster join: whoever has read it somewhere gets nothing by it.
//!
//! What kubeadm has made beside it stays, for tokens of `kubeadm token create`: the roles of whoever joins, which nobody has
//! without a token, and the cluster's public information.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams};
use tokio::time::{Instant, sleep};

use super::admin_client;
use crate::usage::{exit_with_failure, exit_with_usage};

const NAMESPACE: &str = "kube-system";
/// How long a new server may be unable to answer.
const API_SERVER_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// What the server answers if there is no such token: kubeadm was told to make none, or another one.
const NOT_FOUND: u16 = 404;

/// Removes the token with the name in `arguments`.
pub(crate) fn forget_bootstrap_token(arguments: &[String]) -> ExitCode {
    let [id] = arguments else {
        return exit_with_usage("forget-token takes the name of a token");
    };
    match admin_client::block_on(remove_token(id)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => exit_with_failure(&format!("cannot remove the token {id}: {error}")),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

async fn remove_token(id: &str) -> Result<(), kube::Error> {
    let secrets: Api<Secret> = Api::namespaced(admin_client::admin_client().await, NAMESPACE);
    let name = format!("bootstrap-token-{id}");
    let deadline = Instant::now() + API_SERVER_TIMEOUT;
    loop {
        match secrets.delete(&name, &DeleteParams::default()).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.code == NOT_FOUND => return Ok(()),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => sleep(POLL_INTERVAL).await,
        }
    }
}
