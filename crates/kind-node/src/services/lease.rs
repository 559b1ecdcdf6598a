//! One leader among the nodes of the control plane: whoever holds a Lease and renews it.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::Error;
use crate::kubernetes::refused::refused_call;

const NAMESPACE: &str = "kube-system";
const NAME: &str = "kind-services";
/// A lease that nobody renews for this long is anyone's.
const LEASE_DURATION: Duration = Duration::from_secs(5);
/// Another one may lead from then on; a leader ends well before.
const TERM: Duration = LEASE_DURATION.saturating_sub(RETRY_INTERVAL);
/// Time between two renewals.
const RENEW_INTERVAL: Duration = Duration::from_secs(2);
/// What nodes of the control plane have; a node cannot give it to itself.
pub(super) const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// Time between two looks at another's lease, and from a renewal that failed to the next.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A candidate for leadership.
pub(super) struct Candidate {
    leases: Api<Lease>,
    nodes: Api<Node>,
    node: String,
    /// The last state of the lease that was seen, and when it was new. The clocks of nodes need not agree.
    seen: Option<(Option<String>, Instant)>,
    /// When the try began that won or renewed the lease last.
    renewed: Instant,
}

impl Candidate {
    /// A candidate by the name of its node.
    pub(super) fn new(client: Client, node: String) -> Self {
        Self {
            leases: Api::namespaced(client.clone(), NAMESPACE),
            nodes: Api::all(client),
            node,
            seen: None,
            renewed: Instant::now(),
        }
    }

    /// Waits until this node may lead: whoever gives Services their addresses draws what is sent to them, and a worker is
    /// not trusted with that. Of a worker nothing is heard here, so that costs it no more than one watch.
    pub(super) async fn await_candidacy(&self) {
        let events = watcher(self.nodes.clone(), own_role(&self.node)).default_backoff();
        let events = events.applied_objects().filter_map(async |node| node.ok());
        let _ = pin!(events).next().await;
    }

    /// Waits until this node leads.
    pub(super) async fn win_lease(&mut self) {
        loop {
            match self.try_lease(Instant::now() + TERM).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => super::error::report_error(&error, "cannot lead"),
            }
            sleep(RETRY_INTERVAL).await;
        }
    }

    /// Stays the leader as long as that goes well.
    pub(super) async fn keep_lease(&mut self) {
        let mut next = self.renewed + RENEW_INTERVAL;
        while next < self.renewed + TERM {
            sleep_until(next).await;
            next = match self.try_lease(self.renewed + TERM).await {
                Ok(true) => self.renewed + RENEW_INTERVAL,
                Ok(false) => return,
                Err(error) => {
                    super::error::report_error(&error, "cannot go on leading");
                    Instant::now() + RETRY_INTERVAL
                }
            };
        }
    }

    /// Takes or renews the lease unless another node has it, by a time from which on it is of no use. Others count from
    /// when they see it, which is after it was asked for.
    async fn try_lease(&mut self, end: Instant) -> Result<bool, Error> {
        let begun = Instant::now();
        let asked = timeout_at(end, self.ask_for_lease()).await;
        let has_lease = asked.map_err(|_| Error::LeaseTimeout)??;
        if has_lease {
            self.renewed = begun;
        }
        Ok(has_lease)
    }

    async fn ask_for_lease(&mut self) -> Result<bool, Error> {
        let found = self.leases.get_opt(NAME).await;
        let Some(mut lease) = found.map_err(refused_call("read the lease"))? else {
            let metadata = ObjectMeta {
                name: Some(NAME.into()),
                ..ObjectMeta::default()
            };
            let mut lease = Lease {
                metadata,
                spec: None,
            };
            lease.spec = Some(self.held());
            return won(self.leases.create(&PostParams::default(), &lease).await);
        };
        let holder = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.holder_identity.as_ref());
        if holder != Some(&self.node) && holder.is_some() && !self.is_stale(&lease) {
            return Ok(false);
        }
        // The version in it makes that only one of several succeeds.
        lease.spec = Some(self.held());
        won(self
            .leases
            .replace(NAME, &PostParams::default(), &lease)
            .await)
    }

    /// Tells whether a lease has been the same for as long as it is good.
    fn is_stale(&mut self, lease: &Lease) -> bool {
        let version = lease.metadata.resource_version.clone();
        match &self.seen {
            Some((seen, since)) if *seen == version => since.elapsed() > LEASE_DURATION,
            _ => {
                self.seen = Some((version, Instant::now()));
                false
            }
        }
    }

    fn held(&self) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.node.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            renew_time: Some(MicroTime(Timestamp::now())),
            ..LeaseSpec::default()
        }
    }
}

/// The node of that name, as long as it is of the control plane.
fn own_role(node: &str) -> watcher::Config {
    let own = watcher::Config::default().fields(&format!("metadata.name={node}"));
    own.labels(CONTROL_PLANE)
}

/// Another node that was faster is no failure.
fn won(result: kube::Result<Lease>) -> Result<bool, Error> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(refused_call("write the lease")(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A candidate for whom the API server is gone without a word, and what holds its place.
    fn candidate_alone() -> (Candidate, TcpListener) {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        // Fails only if there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap();
        (Candidate::new(client, "a".to_owned()), silent)
    }

    #[tokio::test]
    async fn a_leader_that_hears_nothing_ends_within_its_term() {
        let (mut candidate, _silent) = candidate_alone();
        // The busiest machine has the second that is left to others.
        let begun = Instant::now();
        let ended = timeout_at(begun + LEASE_DURATION, candidate.keep_lease()).await;
        assert!(ended.is_ok());
        // What it won late leaves it less.
        candidate.renewed = Instant::now() - TERM;
        let at_once = timeout_at(Instant::now() + RETRY_INTERVAL, candidate.keep_lease()).await;
        assert!(at_once.is_ok());
    }
}
