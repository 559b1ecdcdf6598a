//! The API server as this node's administrator reaches it, from the first moment on.

use std::path::Path;
use std::time::Duration;

use kube::Client;

use crate::kubernetes;

/// Kubeconfigs that kubeadm writes, the one that may do everything from the start first: since
/// Kubernetes 1.29 the other may do nothing until a role binding exists.
const KUBECONFIGS: [&str; 2] = [
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/admin.conf",
];
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A client, once there is a kubeconfig. The server need not answer yet.
pub(crate) async fn admin_client() -> Client {
    loop {
        let path = KUBECONFIGS.iter().map(Path::new).find(|path| path.exists());
        if let Some(path) = path
            && let Ok(client) = kubernetes::client_of(path).await
        {
            return client;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Runs what is to be done with the API server to its end, on one thread.
///
/// # Errors
/// The system denies what that needs.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    Ok(runtime.enable_all().build()?.block_on(work))
}
