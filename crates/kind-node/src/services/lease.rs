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
use tokio::time::{Instant, sleep};

use super::Error;
use crate::kubernetes::refused::refused_call;

const NAMESPACE: &str = "kube-system";
const NAME: &str = "kind-services";
/// A lease that nobody renews for this long is anyone's.
const LEASE_DURATION: Duration = Duration::from_secs(5);
/// Time between two renewals.
const RENEW_INTERVAL: Duration = Duration::from_secs(2);
/// What nodes of the control plane have; a node cannot give it to itself.
pub(super) const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// Time between two looks at another's lease.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A candidate for leadership.
pub(super) struct Candidate {
    leases: Api<Lease>,
    nodes: Api<Node>,
    node: String,
    /// The last state of the lease that was seen, and when it was new. The clocks of nodes need not agree.
    seen: Option<(Option<String>, Instant)>,
}

impl Candidate {
    /// A candidate by the name of its node.
    pub(super) fn new(client: Client, node: String) -> Self {
        Self {
            leases: Api::namespaced(client.clone(), NAMESPACE),
            nodes: Api::all(client),
            node,
            seen: None,
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
            match self.try_lease().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => super::error::report_error(&error, "cannot lead"),
            }
            sleep(RETRY_INTERVAL).await;
        }
    }

    /// Stays the leader as long as that goes well.
    pub(super) async fn keep_lease(&mut self) {
        let mut renewed = Instant::now();
        // It ends well before another one may lead.
        while renewed.elapsed() + RETRY_INTERVAL < LEASE_DURATION {
            sleep(RENEW_INTERVAL).await;
            match self.try_lease().await {
                Ok(true) => renewed = Instant::now(),
                Ok(false) => return,
                Err(error) => super::error::report_error(&error, "cannot go on leading"),
            }
        }
    }

    /// Takes or renews the lease unless another node has it.
    async fn try_lease(&mut self) -> Result<bool, Error> {
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
