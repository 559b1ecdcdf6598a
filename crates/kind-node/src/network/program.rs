//! Starts the parts of the pod network and keeps them going.

use std::net::IpAddr;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Node;
use kind_node::cni;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use tokio::time::{Instant, sleep_until};

use super::error::report_error;
use super::nodes::Nodes;
use super::settings::Settings;
use super::{Error, masquerade, policy, routes, sources, unserved, upkeep};
use crate::{kubernetes, pod_addresses};

/// Routes go when a link goes down and up again; nobody tells.
const ROUTES_RESYNC_INTERVAL: Duration = Duration::from_secs(30);
/// Time between two attempts to bring the kernel or the configuration in step.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Runs the pod network until SIGTERM or SIGINT. What it has set up stays: pods go on talking
/// while the add-on is replaced. `services` gives Services their addresses: it is told of an address of this node
/// and of its name.
pub(crate) fn run_network(services: impl AsyncFn(Client, IpAddr, &str)) -> Result<(), Error> {
    let settings = Settings::read_variables(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(serve_network(settings, services))
}

async fn serve_network(
    settings: Settings,
    services: impl AsyncFn(Client, IpAddr, &str),
) -> Result<(), Error> {
    let end = crate::signals::end_signal().map_err(Error::Runtime)?;
    keep_rules(&settings);
    let work = async {
        let endpoint = settings.endpoint.as_deref();
        let client = kubernetes::client_near(endpoint).await?;
        tokio::select! {
            result = follow_nodes(&settings, client.clone()) => result,
            () = policy::enforce_policies(client.clone(), &settings) => Ok(()),
            () = service_addresses(client, &settings, services) => Ok(()),
        }
    };
    tokio::select! {
        () = end => Ok(()),
        result = work => result,
    }
}

/// Sets what depends on the settings alone, and sets it again when someone removes it.
fn keep_rules(settings: &Settings) {
    for (name, tables) in [
        (
            masquerade::TABLE,
            masquerade::masquerade_tables(&settings.pod_subnets),
        ),
        (
            unserved::TABLE,
            unserved::unserved_tables(&settings.service_subnets),
        ),
        (
            sources::TABLE,
            sources::source_tables(&settings.pod_subnets),
        ),
    ] {
        if !tables.is_empty() {
            std::thread::spawn(move || upkeep::keep_tables(name, &tables));
        }
    }
}

/// Gives Services their addresses; a manifest that does not name the node is another version's, with
/// fewer rights.
async fn service_addresses(
    client: Client,
    settings: &Settings,
    services: impl AsyncFn(Client, IpAddr, &str),
) {
    match &settings.node {
        Some(node) => services(client, settings.host, node).await,
        None => std::future::pending().await,
    }
}

/// Follows the nodes for ever.
async fn follow_nodes(settings: &Settings, client: Client) -> Result<(), Error> {
    let watch = watcher(Api::<Node>::all(client), watcher::Config::default());
    let mut events = pin!(watch.default_backoff());
    let mut nodes = Nodes::default();
    let mut due = Instant::now() + ROUTES_RESYNC_INTERVAL;
    loop {
        let news = tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => nodes.apply_event(event),
                Some(Err(error)) => {
                    report_error(&error, "no answer from the API server");
                    false
                }
                None => return Ok(()),
            },
            () = sleep_until(due) => true,
        };
        if news {
            due = Instant::now() + set_up(&nodes, settings);
        }
    }
}

/// Brings this node in step with all nodes, and gives the time until it is to be done again.
fn set_up(nodes: &Nodes, settings: &Settings) -> Duration {
    if !nodes.complete() {
        return ROUTES_RESYNC_INTERVAL;
    }
    match try_set_up(nodes, settings) {
        Ok(()) => ROUTES_RESYNC_INTERVAL,
        Err(error) => {
            report_error(&error, "the pod network is not complete");
            RETRY_INTERVAL
        }
    }
}

fn try_set_up(nodes: &Nodes, settings: &Settings) -> Result<(), Error> {
    // Whoever is not registered knows nothing yet by which others' claims could be judged.
    let Some(own) = nodes.own(settings) else {
        return Ok(());
    };
    pod_addresses::follow_pod_cidrs(Path::new(cni::PATH), &own.pod_cidrs)?;
    routes::follow_routes(own, &nodes.others(settings), &settings.pod_subnets)
}
