//! Serves claims.

use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{ListParams, PostParams};
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Api, Resource};

use super::claim::{self, Decision, Request, Wanted};
use super::context::{Context, RETRY_INTERVAL, error_chain};
use super::names::{BASE, PROVISIONER};
use super::{Error, directory, room, topology, volume};
use crate::kubernetes::refused::refused_call;

const ACTION: &str = "Provisioning";

/// Brings a claim that waits for this node a volume.
pub(super) async fn reconcile_claim(
    claim: Arc<PersistentVolumeClaim>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    let reference = claim.object_ref(&());
    let result = match claim::decide_claim(&claim, &context.node) {
        Decision::Leave => return Ok(Action::await_change()),
        Decision::Serve(wanted) => serve_claim(wanted, &context).await,
        Decision::Choose(wanted) => choose_node_for(wanted, &context).await,
    };
    match result {
        Ok(Outcome::Left) => Ok(Action::await_change()),
        // Until then that node may have gone.
        Ok(Outcome::OfAnother) => Ok(Action::requeue(RETRY_INTERVAL)),
        Ok(Outcome::Made(request)) => {
            tracing::info!(volume = request.volume, "made a volume");
            let (type_, reason, note) = news(
                &request,
                &context.node,
                room::free_mebibytes(Path::new(BASE)),
            );
            context
                .send_event(&reference, type_, (ACTION, reason), note)
                .await;
            Ok(Action::await_change())
        }
        Err(error) => {
            let note = error_chain(&error);
            tracing::warn!(note, "no volume for a claim");
            let reason = "ProvisioningFailed";
            context
                .send_event(&reference, EventType::Warning, (ACTION, reason), note)
                .await;
            Ok(match error {
                Error::Unsupported(_) => Action::await_change(),
                _ => Action::requeue(RETRY_INTERVAL),
            })
        }
    }
}

/// What came of a claim.
enum Outcome {
    /// It is not for this provisioner, or it waits for a pod.
    Left,
    /// It is for another node.
    OfAnother,
    /// It has a volume here.
    Made(Box<Request>),
}

/// Serves a claim whose node the scheduler has chosen.
async fn serve_claim(wanted: Wanted, context: &Context) -> Result<Outcome, Error> {
    let classes = Api::<StorageClass>::all(context.client.clone());
    let class = classes.get(&wanted.class).await;
    let class = class.map_err(refused_call("read the claim's storage class"))?;
    if class.provisioner == PROVISIONER {
        provision_volume(wanted.request, &class, context).await
    } else {
        Ok(Outcome::Left)
    }
}

/// Serves a claim that waits for no pod, if this is the node for it.
async fn choose_node_for(wanted: Wanted, context: &Context) -> Result<Outcome, Error> {
    let classes = Api::<StorageClass>::all(context.client.clone());
    let class = classes.get_opt(&wanted.class).await;
    let class = class.map_err(refused_call("read the claim's storage class"))?;
    let Some(class) = class.filter(is_immediate) else {
        return Ok(Outcome::Left);
    };
    let nodes = Api::<Node>::all(context.client.clone());
    let nodes = nodes.list(&ListParams::default().match_any()).await;
    let nodes = nodes.map_err(refused_call("list the nodes"))?.items;
    match topology::choose_node(&wanted.uid, &class, &nodes) {
        Ok(chosen) if chosen == context.node => {
            provision_volume(wanted.request, &class, context).await
        }
        Err(reason) if topology::is_spokesman(&context.node, &nodes) => Err(Error::NoNode(reason)),
        _ => Ok(Outcome::OfAnother),
    }
}

/// Whether claims of a class are this provisioner's and get their volume before a pod needs it.
fn is_immediate(class: &StorageClass) -> bool {
    let mode = class.volume_binding_mode.as_deref();
    class.provisioner == PROVISIONER && mode != Some("WaitForFirstConsumer")
}

/// What is said of a new volume, with the room on its disk in mebibytes.
fn news(request: &Request, node: &str, free: Option<u32>) -> (EventType, &'static str, String) {
    let volume = &request.volume;
    match free {
        Some(free) if room::is_short(&request.size, free) => {
            let (size, free) = (&request.size.0, room::shown_size(free));
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
async fn provision_volume(
    request: Result<Box<Request>, String>,
    class: &StorageClass,
    context: &Context,
) -> Result<Outcome, Error> {
    let request = request.map_err(Error::Unsupported)?;
    directory::make_directory(Path::new(BASE), &request.directory)?;
    let volumes = Api::<PersistentVolume>::all(context.client.clone());
    let volume = volume::describe_volume(&request, class, &context.hostname);
    match volumes.create(&PostParams::default(), &volume).await {
        // The name holds the claim's unique id: it is this claim's volume, made a moment ago.
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        result => {
            result.map_err(refused_call("create the volume"))?;
            return Ok(Outcome::Made(request));
        }
    }
    let made = volumes.get_opt(&request.volume).await;
    let made = made.map_err(refused_call("read the volume"))?;
    if made.is_some_and(|made| !volume::is_on_node(&made, &context.hostname)) {
        // Another instance was faster, to which another node was the one to choose.
        directory::remove_directory(Path::new(BASE), &request.directory)?;
        return Ok(Outcome::OfAnother);
    }
    Ok(Outcome::Made(request))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_classes_of_ours_that_wait_for_no_pod_are_immediate() {
        for (provisioner, mode, expected) in [
            (PROVISIONER, json!("Immediate"), true),
            // What the API takes for none.
            (PROVISIONER, Value::Null, true),
            (PROVISIONER, json!("WaitForFirstConsumer"), false),
            ("example.org/other", json!("Immediate"), false),
            ("example.org/other", Value::Null, false),
        ] {
            let class = json!({"provisioner": provisioner, "volumeBindingMode": mode});
            let class: StorageClass = serde_json::from_value(class).unwrap();
            assert_eq!(is_immediate(&class), expected, "{provisioner} {mode}");
        }
    }
}
