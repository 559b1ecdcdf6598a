//! Removes volumes that nobody needs any more.

use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::api::{DeleteParams, Preconditions};
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Api, Resource, ResourceExt};

use super::context::{Context, RETRY_INTERVAL, error_chain};
use super::names::BASE;
use super::{Error, directory, volume};
use crate::kubernetes::refused::refused_call;

/// Removes a volume of this node whose claim is gone.
pub(super) async fn reconcile_volume(
    volume: Arc<PersistentVolume>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    if volume::discarded_name(&volume, &context.hostname).is_none() {
        return Ok(Action::await_change());
    }
    let Err(error) = discard_volume(&volume.name_any(), &context).await else {
        return Ok(Action::await_change());
    };
    let note = error_chain(&error);
    tracing::warn!(note, volume = volume.name_any(), "cannot remove a volume");
    let words = ("Deleting", "VolumeFailedDelete");
    let reference = volume.object_ref(&());
    context
        .send_event(&reference, EventType::Warning, words, note)
        .await;
    Ok(Action::requeue(RETRY_INTERVAL))
}

/// Removes the data, then the volume.
async fn discard_volume(name: &str, context: &Context) -> Result<(), Error> {
    let volumes = Api::<PersistentVolume>::all(context.client.clone());
    // Asked again: someone may have decided to keep the data since the watch told of it.
    let current = volumes
        .get_opt(name)
        .await
        .map_err(refused_call("read the volume"))?;
    let Some(current) = current else {
        return Ok(());
    };
    let Some(directory) = volume::discarded_name(&current, &context.hostname) else {
        return Ok(());
    };
    // Apart from the runtime's one thread: a volume may hold millions of files.
    let removal = tokio::task::spawn_blocking(move || {
        directory::remove_directory(Path::new(BASE), &directory)
    });
    removal
        .await
        .map_err(|error| Error::Runtime(error.into()))??;
    if current.metadata.deletion_timestamp.is_some() {
        // It goes by itself as soon as its protection ends.
        return Ok(());
    }
    let parameters = DeleteParams {
        preconditions: Some(Preconditions {
            uid: current.uid(),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    match volumes.delete(name, &parameters).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        result => result
            .map(drop)
            .map_err(refused_call("delete the volume"))?,
    }
    tracing::info!(volume = name, "removed a volume");
    Ok(())
}
