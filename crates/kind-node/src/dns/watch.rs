//! Keeps the index up to date with the API server.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::stream::{BoxStream, SelectAll, select_all};
use futures_util::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{Endpoints, Namespace, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Client;
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep, sleep_until};

use super::convert;
use super::index::Index;
use super::objects::{Change, Objects};
use crate::kubernetes::{self, map_event};

/// Changes that come within this time are put into the index together.
const BATCH_INTERVAL: Duration = Duration::from_millis(20);

/// Time before the second attempt to reach the API server; each further one waits twice as long.
const MIN_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Longest time between two attempts. Short, because the API server is close and everything in the
/// cluster waits for names.
const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Time without a failure after which the next one counts as the first.
const BACKOFF_RESET_AFTER: Duration = Duration::from_secs(20);

/// Watches for ever and sends each new index.
pub(crate) async fn watch_cluster(client: Client, indexes: Arc<Sender<Option<Arc<Index>>>>) {
    let mut retries = Retries::default();
    let slices = loop {
        match kubernetes::serves_group(&client, "discovery.k8s.io", "v1").await {
            Ok(slices) => break slices,
            Err(error) => {
                report_error(&error);
                sleep(retries.wait(Instant::now())).await;
            }
        }
    };
    let source = if slices {
        "EndpointSlices"
    } else {
        "Endpoints"
    };
    tracing::info!(source, "watching services");
    follow_changes(watch_changes(&client, slices), &indexes).await;
}

/// Takes changes in and publishes an index after each group of them.
async fn follow_changes(
    changes: impl Stream<Item = Result<Change, watcher::Error>>,
    indexes: &Sender<Option<Arc<Index>>>,
) {
    let mut changes = pin!(changes);
    let mut objects = Objects::default();
    let mut index = Index::new(seconds_now());
    let mut due: Option<Instant> = None;
    loop {
        let wait = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            change = changes.next() => match change {
                Some(Ok(change)) => objects.apply_change(change),
                Some(Err(error)) => report_error(&error),
                None => return,
            },
            () = wait => {
                due = None;
                objects.refresh(&mut index);
                // As CoreDNS has it: the time of the last change.
                index.serial = index.serial.max(seconds_now());
                indexes.send_replace(Some(Arc::new(index.clone())));
            }
        }
        let first = indexes.borrow().is_none();
        if due.is_none() && objects.complete() && (first || objects.changed()) {
            due = Some(Instant::now() + BATCH_INTERVAL);
        }
    }
}

/// Joins the watches of all kinds.
fn watch_changes(
    client: &Client,
    slices: bool,
) -> SelectAll<BoxStream<'static, Result<Change, watcher::Error>>> {
    let services = watch_all::<Service>(client).map(|event| {
        event.map(|event| Change::Service(map_event(event, convert::convert_service)))
    });
    let namespaces = watch_all::<Namespace>(client).map(|event| {
        event.map(|event| Change::Namespace(map_event(event, convert::convert_namespace)))
    });
    let endpoints = if slices {
        watch_all::<EndpointSlice>(client)
            .map(|event| {
                event.map(|event| Change::Endpoints(map_event(event, convert::convert_slice)))
            })
            .boxed()
    } else {
        watch_all::<Endpoints>(client)
            .map(|event| {
                event.map(|event| Change::Endpoints(map_event(event, convert::convert_endpoints)))
            })
            .boxed()
    };
    select_all([services.boxed(), namespaces.boxed(), endpoints])
}

/// Watches all objects of a kind; after an error, again.
fn watch_all<K>(client: &Client) -> impl Stream<Item = watcher::Result<Event<K>>> + use<K>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    kubernetes::watch_readable(client).backoff(Retries::default())
}

/// Times between attempts. They grow until no failure came for a while; a single success says
/// little, because each new attempt begins with an event before the server has said anything.
#[derive(Debug, Default)]
struct Retries {
    last: Option<(Instant, Duration)>,
}

impl Retries {
    /// Returns the time to wait after a failure.
    fn wait(&mut self, now: Instant) -> Duration {
        let recent = self
            .last
            .filter(|(failed, _)| now - *failed < BACKOFF_RESET_AFTER);
        let next = recent.map_or(MIN_RETRY_INTERVAL, |(_, wait)| {
            (wait * 2).min(MAX_RETRY_INTERVAL)
        });
        self.last = Some((now, next));
        next
    }
}

impl Iterator for Retries {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(self.wait(Instant::now()))
    }
}

impl Backoff for Retries {
    fn reset(&mut self) {}
}

/// Notes a failure that is tried again.
fn report_error(error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error, "no answer from the API server");
}

/// Seconds since 1970: a serial that a restart does not set back.
fn seconds_now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    u32::try_from(seconds & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
