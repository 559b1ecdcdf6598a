//! Starts the parts and keeps them going.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1;
use kind_net::netlink::Netlink;
use kube::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::cluster::{self, Service, Services};
use super::control::Leader;
use super::error::report_error;
use super::lease::Candidate;
use super::link::Link;
use super::{Error, announce, share};
use crate::kubernetes;
use crate::kubernetes::store::{Store, watch_objects as watch_all};

/// Addresses go when a link goes down and up again, and others may flush all rules; nobody tells.
const RESYNC_INTERVAL: Duration = Duration::from_secs(30);
/// Time between two attempts when the kernel refuses.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// An announcement may be lost, so it is made this often, with that pause.
const REPEATS: u32 = 3;
const ANNOUNCEMENT_INTERVAL: Duration = Duration::from_secs(1);

/// Runs on a node whose pod network is another program's, until SIGTERM or SIGINT.
pub(crate) fn run_services() -> Result<(), Error> {
    let variable = |name| std::env::var(name).map_err(|_| Error::Variable(name));
    let node = variable("NODE_NAME")?;
    let host = variable("HOST_IP")?.parse();
    let host = host.map_err(|_| Error::Variable("HOST_IP"))?;
    let endpoint = std::env::var("CONTROL_PLANE_ENDPOINT").ok();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(async {
        let end = crate::signals::end_signal().map_err(Error::Runtime)?;
        let work = async {
            let client = kubernetes::client_near(endpoint.as_deref()).await?;
            serve_services(client, host, &node).await;
            Ok(())
        };
        tokio::select! {
            () = end => Ok(()),
            result = work => result,
        }
    })
}

/// Gives Services their addresses, as far as this node has a part in it, for ever. `host` is an address
/// of this node.
pub(crate) async fn serve_services(client: Client, host: IpAddr, node: &str) {
    let link = loop {
        match Netlink::open()
            .map_err(Error::from)
            .and_then(|mut netlink| Link::find_link(&mut netlink, host))
        {
            Ok(link) => break Arc::new(link),
            Err(error) => report_error(&error, "no addresses for services"),
        }
        sleep(RESYNC_INTERVAL).await;
    };
    let (sender, receiver) = watch::channel(Services::default());
    tokio::select! {
        () = take_part(client.clone(), receiver, node, &link) => {}
        () = follow_services(&client, &sender, node, &link) => {}
    }
}

/// Leads whenever there is something to lead and nobody else does, on a node of the control plane.
async fn take_part(
    client: Client,
    mut services: watch::Receiver<Services>,
    node: &str,
    link: &Arc<Link>,
) {
    let mut candidate = Candidate::new(client.clone(), node.to_owned());
    let can_share = share::probe_share(link);
    if let Err(error) = &can_share {
        report_error(
            error,
            "a service that keeps its clients' addresses is served by one node alone",
        );
    }
    let leader = Leader {
        client,
        link: link.clone(),
        node: node.to_owned(),
        can_share: can_share.is_ok(),
    };
    candidate.await_candidacy().await;
    while services
        .wait_for(|services| !services.is_empty())
        .await
        .is_ok()
    {
        candidate.win_lease().await;
        tracing::info!("giving services their addresses from here");
        let mut current = services.clone();
        // What there is already counts as news.
        current.mark_changed();
        tokio::select! {
            () = leader.lead(current) => {}
            () = candidate.keep_lease() => tracing::warn!("another node leads now"),
            _ = services.wait_for(|services| services.is_empty()) => {}
        }
    }
}

/// Follows the Services and announces what is this node's to announce.
async fn follow_services(
    client: &Client,
    sender: &watch::Sender<Services>,
    node: &str,
    link: &Arc<Link>,
) {
    let mut events = pin!(watch_all::<v1::Service>(client));
    let mut services = Store::<Service>::default();
    let mut rules = announce::Rules::default();
    let mut due = Instant::now() + RESYNC_INTERVAL;
    loop {
        let news = tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => services.apply_event(event, cluster::reduce_service),
                Some(Err(error)) => {
                    report_error(&error, "no answer from the API server");
                    false
                }
                None => return,
            },
            () = sleep_until(due) => {
                rules.forget_rules();
                true
            }
        };
        if !news || !services.complete() {
            continue;
        }
        if sender.borrow().as_ref() != services.all_objects() {
            sender.send_replace(Arc::new(services.all_objects().clone()));
        }
        let wanted = announce::wanted_announcements(services.all_objects(), node, link);
        due = Instant::now();
        due += match announce::follow_announcements(link, &wanted, &mut rules) {
            Ok(new) if new.is_empty() => RESYNC_INTERVAL,
            Ok(new) => {
                tokio::spawn(announce_repeatedly(link.clone(), new));
                RESYNC_INTERVAL
            }
            Err(error) => {
                report_error(&error, "cannot announce a service's address");
                RETRY_INTERVAL
            }
        };
    }
}

/// Announces addresses a few times.
async fn announce_repeatedly(link: Arc<Link>, addresses: Vec<IpAddr>) {
    for _ in 0..REPEATS {
        let present = Netlink::open()
            .map_err(Error::from)
            .and_then(|mut netlink| link.announced(&mut netlink));
        // They may be another node's by now.
        let still = present.unwrap_or_default();
        let still: Vec<IpAddr> = addresses
            .iter()
            .copied()
            .filter(|one| still.contains(one))
            .collect();
        if let Err(error) = announce::announce_addresses(&link, &still) {
            report_error(&error, "cannot tell the network of an address");
        }
        sleep(ANNOUNCEMENT_INTERVAL).await;
    }
}
