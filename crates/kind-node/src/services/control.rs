//! What the leader does: every Service gets its addresses and a node that announces them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use k8s_openapi::api::core::v1;
use kind_net::netlink::Netlink;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::alive::Alive;
use super::backends::Backends;
use super::cluster::{self, ANNOUNCER, CLEANUP, Node, Places, SHARED_BY, Service, Services};
use super::decide::{Circumstances, Decision, candidate_nodes, decide_address, taken_addresses};
use super::error::report_error;
use super::events::{Events, News};
use super::link::Link;
use super::{Error, error};
use crate::kubernetes::refused::refused_call;
use crate::kubernetes::store::{Key, Store, watch_objects as watch_all};

/// Time between two looks at the nodes, and until a failed change is tried again.
const RESYNC_INTERVAL: Duration = Duration::from_secs(1);
/// Whoever has an address says so within this time.
const DUPLICATE_ADDRESS_TIMEOUT: Duration = Duration::from_millis(100);
/// A port that nothing listens on; the question is only who has the address.
const DISCARD: u16 = 9;

/// The leader.
pub(super) struct Leader {
    pub(super) client: Client,
    pub(super) link: Arc<Link>,
    /// The node that leads.
    pub(super) node: String,
    /// Nodes can hand on what is for an address that they announce; all have the same kernel.
    pub(super) can_share: bool,
}

/// What a Service is to have.
#[derive(Debug, Default)]
struct Wanted {
    addresses: Vec<IpAddr>,
    announcer: Option<String>,
    shared_by: Option<Backends>,
    finalizers: Vec<String>,
    /// It has an address of each of its families.
    is_complete: bool,
}

impl Leader {
    /// Leads until dropped.
    pub(super) async fn lead(&self, mut services: watch::Receiver<Services>) {
        let mut node_events = pin!(watch_all::<v1::Node>(&self.client));
        let mut endpoint_events = pin!(watch_all::<v1::Endpoints>(&self.client));
        let mut nodes = Store::<Node>::default();
        let mut endpoints = Store::<Places>::default();
        let mut alive = Alive::default();
        let mut told = Events::new(self.client.clone(), &self.node);
        let mut tick = interval(RESYNC_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut again = false;
        loop {
            let news = tokio::select! {
                event = node_events.next() => match event {
                    Some(Ok(event)) => nodes.apply_event(event, |node| Some(cluster::reduce_node(node))),
                    Some(Err(error)) => failed(&error),
                    None => return,
                },
                event = endpoint_events.next() => match event {
                    Some(Ok(event)) => endpoints.apply_event(event, |of| Some(cluster::reduce_endpoints(of))),
                    Some(Err(error)) => failed(&error),
                    None => return,
                },
                changed = services.changed() => match changed {
                    Ok(()) => true,
                    Err(_) => return,
                },
                _ = tick.tick() => {
                    let several = nodes.all_objects().len() > 1;
                    (several && alive.probe_nodes(nodes.all_objects()).await) || again
                }
            };
            if !news || !nodes.complete() || !endpoints.complete() {
                continue;
            }
            let usable = cluster::usable_nodes(nodes.all_objects(), |name| alive.is_alive(name));
            let current = services.borrow_and_update().clone();
            again = !self
                .settle_services(&current, &usable, &endpoints, &mut told)
                .await;
        }
    }

    /// Decides about all Services; tells whether everything could be done.
    async fn settle_services(
        &self,
        services: &Services,
        nodes: &BTreeMap<&str, &[IpAddr]>,
        endpoints: &Store<Places>,
        told: &mut Events,
    ) -> bool {
        let mut well = true;
        let nowhere = Places::new();
        // What was given out in this round, and what the Services before have.
        let mut claimed = BTreeSet::new();
        let mut taken = taken_addresses(services);
        for (key, service) in services.iter() {
            let circumstances = Circumstances {
                ranges: &self.link.ranges,
                claimed: &claimed,
                nodes,
                places: endpoints.all_objects().get(key).unwrap_or(&nowhere),
                can_share: self.can_share,
            };
            let decision = decide_address(service, &circumstances);
            let wanted = self.decide_wanted(service, &decision, &mut taken).await;
            claimed.extend(match &wanted {
                Some(wanted) => &wanted.addresses,
                None => &service.addresses,
            });
            let Some(wanted) = wanted else {
                continue;
            };
            well &= wanted.is_complete;
            match self.write_service(key, service, &wanted).await {
                Ok(()) => {
                    if let Some(news) = News::of_decision(&decision, wanted.is_complete) {
                        told.send_news(key, service, news).await;
                    }
                }
                Err(error) => {
                    well = false;
                    report_error(&error, "a service's addresses could not be set");
                }
            }
        }
        well
    }

    /// What a Service is to have, if that is anything else than it has. Addresses that are missing are looked
    /// for among those that are not `taken`.
    async fn decide_wanted(
        &self,
        service: &Service,
        decision: &Decision,
        taken: &mut BTreeSet<IpAddr>,
    ) -> Option<Wanted> {
        let without_cleanup = service.finalizers.iter().filter(|name| *name != CLEANUP);
        let mut finalizers: Vec<String> = without_cleanup.cloned().collect();
        let mut wanted = match decision {
            Decision::Leave => return None,
            Decision::LetGo => Wanted {
                finalizers,
                ..Wanted::default()
            },
            Decision::TakeBack => Wanted {
                finalizers: service.finalizers.clone(),
                ..Wanted::default()
            },
            Decision::Set {
                keep,
                missing,
                announcer,
                shared_by,
            } => {
                let found = missing.iter().map(|family| {
                    self.find_free_address(candidate_nodes(
                        service,
                        *family,
                        &self.link.ranges,
                        taken,
                    ))
                });
                let found = join_all(found).await.into_iter().flatten();
                let addresses: Vec<IpAddr> = keep.iter().copied().chain(found).collect();
                finalizers.push(CLEANUP.to_owned());
                Wanted {
                    is_complete: addresses.len() == service.families.len(),
                    addresses,
                    announcer: Some(announcer.clone()),
                    shared_by: shared_by.clone(),
                    finalizers,
                }
            }
        };
        wanted.is_complete |= service.families.is_empty();
        taken.extend(&wanted.addresses);
        Some(wanted)
    }

    /// The first address that nobody on the network has: other clusters and programs may use the same.
    async fn find_free_address(&self, candidates: Vec<IpAddr>) -> Option<IpAddr> {
        for address in candidates {
            match self.is_silent(address).await {
                Ok(true) => return Some(address),
                Ok(false) => tracing::info!(%address, "someone else has the address"),
                Err(error) => {
                    report_error(&error, "cannot tell whether an address is free");
                    return Some(address);
                }
            }
        }
        tracing::warn!("the network has no more addresses for services");
        None
    }

    /// Asks for an address and waits whether a neighbour answers.
    async fn is_silent(&self, address: IpAddr) -> Result<bool, Error> {
        let mut netlink = Netlink::open()?;
        if self.link.announced(&mut netlink)?.contains(&address) {
            return Ok(true);
        }
        let any: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let asking = error::kernel_error("ask for an address");
        UdpSocket::bind(SocketAddr::new(any, 0))
            .and_then(|socket| socket.send_to(&[], SocketAddr::new(address, DISCARD)))
            .map_err(asking)?;
        sleep(DUPLICATE_ADDRESS_TIMEOUT).await;
        Ok(!netlink.has_neighbour(address)?)
    }

    /// Writes what a Service is to have, unless it has changed.
    async fn write_service(
        &self,
        key: &Key,
        service: &Service,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        let Wanted {
            addresses,
            announcer,
            shared_by,
            finalizers,
            ..
        } = wanted;
        let shared_by = shared_by.as_ref().map(ToString::to_string);
        tracing::info!(
            service = format!("{}/{}", key.namespace, key.name),
            ?addresses,
            announcer,
            shared_by,
            "giving a service its addresses"
        );
        let ingress: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
        let patch = json!({
            "metadata": {
                "resourceVersion": service.version,
                "annotations": { ANNOUNCER: announcer, SHARED_BY: shared_by },
                "finalizers": finalizers,
            },
            "status": { "loadBalancer": { "ingress": ingress } },
        });
        let services = Api::<v1::Service>::namespaced(self.client.clone(), &key.namespace);
        let written = services
            .patch_status(&key.name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        match written {
            // News of what changed it are on their way.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            result => Ok(result
                .map(drop)
                .map_err(refused_call("write a service's status"))?),
        }
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> bool {
    report_error(error, "no answer from the API server");
    false
}
