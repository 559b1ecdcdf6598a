//! Serves claims.

use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::PostParams;
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Api, Resource};

use super::claim::{self, Decision, Request};
use super::program::{Context, RETRY};
use super::{BASE, Error, directory, room, volume};
use crate::refused::calling;

const ACTION: &str = "Provisioning";

/// Brings a claim that waits for this node a volume.
pub(super) async fn reconcile(
    claim: Arc<PersistentVolumeClaim>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    let reference = claim.object_ref(&());
    let result = match claim::decide(&claim, &context.node) {
        Decision::Leave => return Ok(Action::await_change()),
        Decision::Refuse(reason) => Err(Error::Unsupported(reason)),
        Decision::Provision(request) => provision(&request, &context).await.map(|()| request),
    };
    match result {
        Ok(request) => {
            tracing::info!(volume = request.volume, "made a volume");
            let (type_, reason, note) = news(&request, &context.node, room::free(Path::new(BASE)));
            context
                .tell(&reference, type_, (ACTION, reason), note)
                .await;
            Ok(Action::await_change())
        }
        Err(error) => {
            let note = super::program::chain(&error);
            tracing::warn!(note, "no volume for a claim");
            let reason = "ProvisioningFailed";
            context
                .tell(&reference, EventType::Warning, (ACTION, reason), note)
                .await;
            Ok(match error {
                Error::Unsupported(_) => Action::await_change(),
                _ => Action::requeue(RETRY),
            })
        }
    }
}

/// What is said of a new volume, with the room on its disk in mebibytes.
fn news(request: &Request, node: &str, free: Option<u32>) -> (EventType, &'static str, String) {
    let volume = &request.volume;
    match free {
        Some(free) if room::is_short(&request.size, free) => {
            let (size, free) = (&request.size.0, room::shown(free));
            let note = format!(
                "volume {volume} of {size} is on node {node}, whose disk has room for {free}: it can be used \
                 until that is full"
            );
            (EventType::Warning, "VolumeLargerThanDisk", note)
        }
        _ => {
            let note = format!("volume {volume} is on node {node}");
            (EventType::Normal, "ProvisioningSucceeded", note)
        }
    }
}

/// Makes the directory, then the volume: a volume that exists can be used.
async fn provision(request: &Request, context: &Context) -> Result<(), Error> {
    let classes = Api::<StorageClass>::all(context.client.clone());
    let class = classes.get(&request.class);
    let class = class
        .await
        .map_err(calling("read the claim's storage class"))?;
    directory::make(Path::new(BASE), &request.directory)?;
    let volumes = Api::<PersistentVolume>::all(context.client.clone());
    let volume = volume::describe(request, &class, &context.hostname);
    match volumes.create(&PostParams::default(), &volume).await {
        // The name holds the claim's unique id: it is this claim's volume, made a moment ago.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        result => Ok(result.map(drop).map_err(calling("create the volume"))?),
    }
}
