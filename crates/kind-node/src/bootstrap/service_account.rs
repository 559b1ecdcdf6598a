//! The account that pods of the namespace `default` run as, unless they ask for another.
//!
//! The controller manager makes it too, but on some versions only ten seconds after the node is Ready, and
//! until then the cluster refuses its user's first pod.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::time::{sleep, timeout};

use super::admin_client;

/// The name of the account and of its namespace.
const DEFAULT: &str = "default";
/// What the server answers when somebody else was faster.
const CONFLICT: u16 = 409;
/// How long the API server may take until it has its first namespaces.
const NAMESPACE_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Makes the account unless it is there.
///
/// Never fails: what is not made here is made by the controller manager.
pub(crate) fn make_service_account() -> ExitCode {
    let made = async { timeout(NAMESPACE_TIMEOUT, make_account()).await };
    let _ = admin_client::block_on(made);
    ExitCode::SUCCESS
}

async fn make_account() {
    let accounts: Api<ServiceAccount> =
        Api::namespaced(admin_client::admin_client().await, DEFAULT);
    let account = ServiceAccount {
        metadata: ObjectMeta {
            name: Some(DEFAULT.to_owned()),
            ..ObjectMeta::default()
        },
        ..ServiceAccount::default()
    };
    loop {
        match accounts.create(&PostParams::default(), &account).await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if status.code == CONFLICT => return,
            // The server makes the namespace itself, soon after it answers.
            Err(_) => sleep(POLL_INTERVAL).await,
        }
    }
}
