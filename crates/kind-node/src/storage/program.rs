//! Starts the two halves of the storage add-on and keeps them going.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use kube::runtime::Controller;
use kube::runtime::controller::Action;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};

use super::context::{Context, RETRY_INTERVAL, error_chain};
use super::names::PROVISIONER;
use super::{Error, provision, release, volume};
use crate::kubernetes;
use crate::kubernetes::refused::refused_call;

/// Time between two attempts to reach the API server at the start.
const CONNECT_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Serves volumes on this node until SIGTERM or SIGINT.
pub(crate) fn run_storage() -> Result<(), Error> {
    let node = std::env::var("NODE_NAME").map_err(|_| Error::Missing("NODE_NAME"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(async {
        let end = crate::signals::end_signal().map_err(Error::Runtime)?;
        tokio::select! {
            () = end => Ok(()),
            result = serve_storage(node) => result,
        }
    })
}

async fn serve_storage(node: String) -> Result<(), Error> {
    let endpoint = std::env::var("CONTROL_PLANE_ENDPOINT").ok();
    let client = kubernetes::client_near(endpoint.as_deref()).await?;
    let reporter = Reporter {
        controller: PROVISIONER.to_owned(),
        instance: Some(node.clone()),
    };
    let context = Arc::new(Context {
        recorder: Recorder::new(client.clone(), reporter),
        hostname: node_hostname(&client, &node).await,
        client: client.clone(),
        node,
    });
    let claims = Api::<PersistentVolumeClaim>::all(client.clone());
    let claims = Controller::new(claims, watcher::Config::default())
        .run(
            provision::reconcile_claim,
            give_up::<PersistentVolumeClaim>,
            context.clone(),
        )
        .for_each(|result| async { note_failure(result.err()) });
    let volumes = Api::<PersistentVolume>::all(client);
    let volumes = Controller::new(volumes, watcher::Config::default())
        .run(
            release::reconcile_volume,
            give_up::<PersistentVolume>,
            context,
        )
        .for_each(|result| async { note_failure(result.err()) });
    tokio::join!(claims, volumes);
    Ok(())
}

/// The node's host name label, by which the scheduler finds it again.
async fn node_hostname(client: &Client, node: &str) -> String {
    let nodes = Api::<Node>::all(client.clone());
    loop {
        match nodes
            .get(node)
            .await
            .map_err(refused_call("read this node"))
        {
            Ok(found) => {
                let label = found.labels().get(volume::HOSTNAME);
                return label.cloned().unwrap_or_else(|| node.to_owned());
            }
            Err(error) => tracing::warn!(
                reason = error_chain(&error),
                "no answer from the API server"
            ),
        }
        tokio::time::sleep(CONNECT_RETRY_INTERVAL).await;
    }
}

/// Both halves report their own failures; this is for those that nobody foresaw.
fn give_up<K>(_: Arc<K>, _: &Error, _: Arc<Context>) -> Action {
    Action::requeue(RETRY_INTERVAL)
}

fn note_failure(error: Option<impl std::error::Error>) {
    if let Some(error) = error {
        tracing::warn!(reason = error_chain(&error), "a watch or an object failed");
    }
}
