//! Waiting until a new cluster shows pods: whoever looks right after its creation must not find it empty.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use tokio::time::{sleep, timeout};

use super::admin_client;

/// No longer than this: that there are none is no reason to have no cluster.
const FIRST_POD_TIMEOUT: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Waits for a pod, whichever it is. Never fails.
pub(crate) fn await_first_pod() -> ExitCode {
    let waited = async { timeout(FIRST_POD_TIMEOUT, wait_for_pod()).await };
    let _ = admin_client::block_on(waited);
    ExitCode::SUCCESS
}

async fn wait_for_pod() {
    let pods: Api<Pod> = Api::all(admin_client::admin_client().await);
    let one = ListParams::default().limit(1);
    while !pods
        .list(&one)
        .await
        .is_ok_and(|list| !list.items.is_empty())
    {
        sleep(POLL_INTERVAL).await;
    }
}
