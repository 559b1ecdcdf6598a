//! Keeps the kernel's rules in step with the policies.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures_util::stream::{BoxStream, select_all};
use futures_util::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kind_node::cni;
use kube::Client;
use kube::runtime::watcher::{self, Event};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::error::report_error;
use super::super::settings::Settings;
use super::cluster::{self, Cluster};
use super::kernel::{Kernel, Removals};
use crate::kubernetes::store::{Store, watch_objects};
use crate::restricted_pods;

/// Changes that come within this time are made together.
const BATCH_INTERVAL: Duration = Duration::from_millis(10);
/// Time between two attempts when the kernel refuses.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// News from the API server.
enum Change {
    Policy(Event<NetworkPolicy>),
    Namespace(Event<Namespace>),
    Pod(Box<Event<Pod>>),
}

/// Enforces the cluster's policies on this node's pods, for ever. Rules stay when the add-on ends.
pub(in crate::network) async fn enforce_policies(client: Client, settings: &Settings) {
    loop {
        let error = match Kernel::open_kernel(settings) {
            Ok(kernel) => enforce_until_failure(&client, settings, kernel).await.err(),
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            report_error(&error, "cannot enforce network policies");
        }
        sleep(RETRY_INTERVAL).await;
    }
}

/// Enforces policies until the kernel can no longer be heard.
async fn enforce_until_failure(
    client: &Client,
    settings: &Settings,
    mut kernel: Kernel,
) -> io::Result<()> {
    let removals = kernel.watch_removals()?;
    // Most clusters have no policy, and then nobody needs to hear of every pod.
    first_policy(client, &mut kernel).await;
    tracing::info!("enforcing network policies");
    follow_changes(client, settings, kernel, removals).await
}

/// Waits until there is a policy; as long as there is none, there are no rules.
async fn first_policy(client: &Client, kernel: &mut Kernel) {
    let mut events = pin!(watch_objects::<NetworkPolicy>(client));
    let mut policies = Store::default();
    let mut removed = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => policies.apply_event(event, |_| Some(())),
            Err(error) => {
                report_error(&error, "no answer from the API server");
                continue;
            }
        };
        if !policies.all_objects().is_empty() {
            return;
        }
        if policies.complete() && !removed {
            match open_pods(kernel) {
                Ok(()) => removed = true,
                Err(error) => report_error(&error, "cannot remove the rules of former policies"),
            }
        }
    }
}

/// Follows everything that decides about traffic, until removals cannot be heard any more.
async fn follow_changes(
    client: &Client,
    settings: &Settings,
    mut kernel: Kernel,
    mut removals: Removals,
) -> io::Result<()> {
    let mut changes = pin!(watch_changes(client));
    let mut cluster = Cluster::default();
    let mut due: Option<Instant> = None;
    loop {
        let wait = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let news = tokio::select! {
            change = changes.next() => match change {
                Some(Ok(change)) => apply_change(&mut cluster, change, settings),
                Some(Err(error)) => {
                    report_error(&error, "no answer from the API server");
                    false
                }
                None => return Ok(()),
            },
            removal = removals.recv() => {
                removal.unwrap_or(Err(io::ErrorKind::BrokenPipe.into()))?;
                tracing::warn!("rules of network policies were removed; setting them again");
                kernel.forget_rules();
                true
            }
            () = wait => {
                due = restrict_pods(&mut kernel, &cluster).err().map(|error| {
                    report_error(&error, "cannot enforce network policies");
                    Instant::now() + RETRY_INTERVAL
                });
                false
            }
        };
        if news && cluster.complete() && due.is_none() {
            due = Some(Instant::now() + BATCH_INTERVAL);
        }
    }
}

/// Removes all rules, also for when this node starts again.
fn open_pods(kernel: &mut Kernel) -> io::Result<()> {
    kernel.clear_rules()?;
    restricted_pods::forget_restriction(Path::new(cni::PATH))
}

/// Makes the kernel's rules those of the cluster. From before the first policy is in force, this node's pods have no
/// network after its next start until they have rules again.
fn restrict_pods(kernel: &mut Kernel, cluster: &Cluster) -> io::Result<()> {
    restricted_pods::remember_restriction(Path::new(cni::PATH))?;
    kernel.set_rules(cluster)
}

/// Takes a change in; tells whether there is something new to act on.
fn apply_change(cluster: &mut Cluster, change: Change, settings: &Settings) -> bool {
    match change {
        Change::Policy(event) => {
            let reduce = |policy| Some(cluster::reduce_policy(policy));
            cluster.policies.apply_event(event, reduce)
        }
        Change::Namespace(event) => {
            let reduce = |namespace: Namespace| namespace.metadata.labels.unwrap_or_default();
            let reduce = |namespace| Some(reduce(namespace));
            cluster.namespaces.apply_event(event, reduce)
        }
        Change::Pod(event) => {
            let reduce = |pod| cluster::reduce_pod(pod, settings);
            cluster.pods.apply_event(*event, reduce)
        }
    }
}

/// Joins the watches of all kinds.
fn watch_changes(client: &Client) -> impl Stream<Item = watcher::Result<Change>> + use<> {
    let policies = watch_objects::<NetworkPolicy>(client).map(|event| event.map(Change::Policy));
    let namespaces = watch_objects::<Namespace>(client).map(|event| event.map(Change::Namespace));
    let pods =
        watch_objects::<Pod>(client).map(|event| event.map(|event| Change::Pod(Box::new(event))));
    let all: [BoxStream<'static, _>; 3] = [policies.boxed(), namespaces.boxed(), pods.boxed()];
    select_all(all)
}
