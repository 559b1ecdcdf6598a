//! One leader among the nodes: whoever holds a Lease and renews it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
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
/// Time between two looks at another's lease.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A candidate for leadership.
pub(super) struct Candidate {
    leases: Api<Lease>,
    node: String,
    /// The last state of the lease that was seen, and when it was new. The clocks of nodes need not agree.
    seen: Option<(Option<String>, Instant)>,
}

impl Candidate {
    /// A candidate by the name of its node.
    pub(super) fn new(client: Client, node: String) -> Self {
        Self {
            leases: Api::namespaced(client, NAMESPACE),
            node,
            seen: None,
        }
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

/// Another node that was faster is no failure.
fn won(result: kube::Result<Lease>) -> Result<bool, Error> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(refused_call("write the lease")(error).into()),
    }
}
