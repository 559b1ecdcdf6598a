//! Asking the servers of a `forward`.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, Name, RecordType};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::message::{Answer, Question};
use super::metrics::{Metrics, UpstreamMetrics};
use super::plugin::forward::{ForwardSettings, Policy};
use super::upstream::{self, Over};
use crate::mutex::lock_mutex;

/// Time for one server.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for all servers, just below what clients wait before they ask again.
const FORWARD_TIMEOUT: Duration = Duration::from_millis(4500);

/// For how long a server that failed comes after the others.
const UPSTREAM_COOLDOWN: Duration = Duration::from_secs(10);

/// The way to names that others know.
#[derive(Debug)]
pub(crate) struct Forwarder {
    settings: ForwardSettings,
    servers: Vec<Server>,
    permits: Semaphore,
    /// Grows with every question; whose turn it is.
    turn: AtomicUsize,
    metrics: Arc<Metrics>,
}

/// An upstream server.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    /// A name nobody else asks for: if it comes in, what we send to this server comes back to us.
    probe: Name,
    returns: AtomicBool,
    failed: Mutex<Option<Instant>>,
    metrics: Arc<UpstreamMetrics>,
}

/// Where we are, as far as it tells which upstream servers are we ourselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ourselves {
    /// Addresses of our Service.
    pub(crate) service: Vec<IpAddr>,
    /// Where the sockets of a server block are.
    pub(crate) listening: Vec<SocketAddr>,
}

impl Ourselves {
    /// Tells whether that server is this one.
    fn is(&self, server: SocketAddr) -> bool {
        let ours = |own: &SocketAddr| own.port() == server.port();
        let service = self.service.contains(&server.ip()) && self.listening.iter().any(ours);
        service || reaches_itself(&self.listening, server)
    }
}

impl Forwarder {
    /// A forwarder to the servers of a directive without those that are clearly ourselves; `zone` is that of its
    /// server block.
    pub(crate) fn new(
        settings: ForwardSettings,
        zone: &Name,
        ourselves: &Ourselves,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let is_other = |server: &&SocketAddr| {
            let is = ourselves.is(**server);
            if is {
                tracing::warn!(%server, "refused an upstream server that is this server itself");
            }
            !is
        };
        let from = &settings.from;
        let zone = if zone.zone_of(from) { from } else { zone };
        let others = settings.servers.iter().filter(is_other);
        Self {
            servers: others.map(|one| Server::new(*one, zone, metrics)).collect(),
            permits: Semaphore::new(settings.max_concurrent),
            turn: AtomicUsize::new(0),
            metrics: metrics.clone(),
            settings,
        }
    }

    /// Tells whether questions for a name are forwarded.
    pub(crate) fn covers(&self, name: &Name) -> bool {
        self.settings.covers(name)
    }

    /// Asks the upstream servers one after the other until one knows; nothing if none says anything in time.
    pub(crate) async fn ask_upstreams(&self, question: &Question) -> Option<Answer> {
        if self.came_back(&question.name) {
            return Some(Answer::without_records(ResponseCode::Refused));
        }
        let Ok(_permit) = self.permits.try_acquire() else {
            self.metrics.forward_rejected();
            return Some(Answer::without_records(ResponseCode::Refused));
        };
        let asked = timeout(FORWARD_TIMEOUT, self.ask_servers(question)).await;
        asked.ok().flatten()
    }

    /// Sends every server a name that only we know, to see whether it comes back.
    pub(crate) async fn probe(&self) {
        for server in &self.servers {
            let question = Question {
                name: server.probe.clone(),
                kind: RecordType::TXT,
                class: DNSClass::IN,
                dnssec_ok: false,
                checking_disabled: false,
            };
            if let Err(error) =
                upstream::ask_upstream(server.address, &question, self.over(), UPSTREAM_TIMEOUT)
                    .await
            {
                tracing::warn!(server = %server.address, %error, "upstream server does not answer");
            }
        }
    }

    /// Asks the servers, twice if need be: a datagram may get lost.
    async fn ask_servers(&self, question: &Question) -> Option<Answer> {
        let mut refusal = None;
        for _ in 0..2 {
            let mut lost = false;
            for server in self.in_order() {
                let asked = Instant::now();
                server.metrics.asked();
                match upstream::ask_upstream(
                    server.address,
                    question,
                    self.over(),
                    UPSTREAM_TIMEOUT,
                )
                .await
                {
                    Ok(answer) => {
                        server.metrics.answered(answer.code, asked.elapsed());
                        server.set_failed(false);
                        if matches!(answer.code, ResponseCode::NoError | ResponseCode::NXDomain) {
                            return Some(answer);
                        }
                        refusal = Some(Answer::without_records(answer.code));
                    }
                    Err(error) => {
                        server.set_failed(true);
                        lost |= error.kind() == std::io::ErrorKind::TimedOut;
                        tracing::debug!(server = %server.address, %error, "upstream server failed");
                    }
                }
            }
            if !lost {
                break;
            }
        }
        refusal
    }

    /// What servers are asked over.
    fn over(&self) -> Over {
        if self.settings.force_tcp {
            Over::Tcp
        } else {
            Over::Udp
        }
    }

    /// The servers in the order in which they are asked, those that failed lately last.
    fn in_order(&self) -> Vec<&Server> {
        let mut usable: Vec<_> = self.servers.iter().filter(|one| one.usable()).collect();
        let first = match self.settings.policy {
            Policy::Sequential => 0,
            Policy::RoundRobin => self.turn.fetch_add(1, Ordering::Relaxed),
            Policy::Random => usize::from(upstream::random_id()),
        };
        let count = usable.len().max(1);
        usable.rotate_left(first % count);
        let (mut resting, mut order): (Vec<_>, Vec<_>) =
            usable.into_iter().partition(|one| one.rests());
        order.append(&mut resting);
        order
    }

    /// Tells whether a name is one of our probes, and remembers whose.
    fn came_back(&self, name: &Name) -> bool {
        let Some(server) = self.servers.iter().find(|server| &server.probe == name) else {
            return false;
        };
        if !server.returns.swap(true, Ordering::Relaxed) {
            tracing::warn!(server = %server.address, "refused an upstream server that leads back here");
        }
        true
    }
}

impl Server {
    fn new(address: SocketAddr, zone: &Name, metrics: &Metrics) -> Self {
        Self {
            address,
            probe: probe_name(zone),
            returns: AtomicBool::new(false),
            failed: Mutex::new(None),
            metrics: metrics.upstream(address),
        }
    }

    /// Tells whether questions to this server do not come back to us.
    fn usable(&self) -> bool {
        !self.returns.load(Ordering::Relaxed)
    }

    /// Tells whether it failed lately.
    fn rests(&self) -> bool {
        lock_mutex(&self.failed).is_some_and(|failed| failed.elapsed() < UPSTREAM_COOLDOWN)
    }

    /// Remembers how it went.
    fn set_failed(&self, failed: bool) {
        *lock_mutex(&self.failed) = failed.then(Instant::now);
    }
}

/// A name of two random labels in a zone, which nobody has.
fn probe_name(zone: &Name) -> Name {
    let label = || format!("{:04x}{:04x}", upstream::random_id(), upstream::random_id());
    let name = Name::from_ascii(format!("{}.{}", label(), label())).unwrap_or_default();
    // Does not fit only below a zone of the longest names.
    name.append_domain(zone).unwrap_or_default()
}

/// Tells whether one of our sockets is what that address leads to.
fn reaches_itself(listening: &[SocketAddr], server: SocketAddr) -> bool {
    listening.iter().any(|own| {
        own.port() == server.port()
            && (own.ip() == server.ip() || own.ip().is_unspecified() && is_local(server.ip()))
    })
}

/// Tells whether an address is one of this network namespace: only then can a socket have it.
fn is_local(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::configuration::tests::block;
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// A forwarder to servers in their order.
    fn forwarder(servers: &[&str], ourselves: &Ourselves) -> Forwarder {
        let directive = format!("forward . {} {{\n policy sequential\n}}", servers.join(" "));
        let settings = block(&directive).forward.remove(0);
        Forwarder::new(settings, &Name::root(), ourselves, &Arc::default())
    }

    fn kept(servers: &[&str], own: &[&str], listening: &[&str]) -> Vec<String> {
        let ourselves = Ourselves {
            service: own.iter().map(|text| text.parse().unwrap()).collect(),
            listening: addresses(listening),
        };
        let forwarder = forwarder(servers, &ourselves);
        let kept = forwarder.servers.iter();
        kept.map(|server| server.address.to_string()).collect()
    }

    #[test]
    fn upstream_that_is_ourselves_is_left_out() {
        let other = "192.0.2.1:53";
        let none: [&str; 0] = [];
        assert_eq!(
            kept(&["127.0.0.1:53", other], &[], &["0.0.0.0:53"]),
            [other]
        );
        assert_eq!(kept(&["127.0.0.53:53"], &[], &["[::]:53"]), none);
        assert_eq!(
            kept(&["10.96.0.10:53"], &["10.96.0.10"], &["[::]:53"]),
            none
        );
        // Another server block of our own.
        assert_eq!(
            kept(&["127.0.0.1:5353"], &["10.96.0.10"], &["[::]:53"]),
            ["127.0.0.1:5353"]
        );
        assert_eq!(kept(&["127.0.0.2:53"], &[], &["127.0.0.2:53"]), none);
        assert_eq!(
            kept(&["127.0.0.3:53"], &[], &["127.0.0.2:53"]),
            ["127.0.0.3:53"]
        );
    }

    #[test]
    fn failed_server_comes_last() {
        let servers = ["192.0.2.1:53", "192.0.2.2:53"];
        let forwarder = forwarder(&servers, &Ourselves::default());
        let servers = addresses(&servers);
        forwarder.servers[0].set_failed(true);
        let order: Vec<_> = forwarder.in_order().iter().map(|one| one.address).collect();
        assert_eq!(order, [servers[1], servers[0]]);
        forwarder.servers[0].set_failed(false);
        let order: Vec<_> = forwarder.in_order().iter().map(|one| one.address).collect();
        assert_eq!(order, servers);
    }

    #[test]
    fn every_server_has_its_turn() {
        let settings = block("forward . 192.0.2.1 192.0.2.2 {\n policy round_robin\n}").forward;
        let (none, metrics) = (Ourselves::default(), Arc::default());
        let forwarder = Forwarder::new(settings[0].clone(), &Name::root(), &none, &metrics);
        let first = || forwarder.in_order()[0].address.ip().to_string();
        assert_eq!(
            [first(), first(), first()],
            ["192.0.2.1", "192.0.2.2", "192.0.2.1"]
        );
    }

    #[test]
    fn server_whose_probe_comes_back_is_not_used() {
        let forwarder = forwarder(&["192.0.2.1:53"], &Ourselves::default());
        let probe = forwarder.servers[0].probe.clone();
        assert!(!forwarder.came_back(&Name::root()));
        assert!(forwarder.came_back(&probe));
        assert!(forwarder.in_order().is_empty());
    }

    #[tokio::test]
    async fn more_questions_than_allowed_are_refused() {
        // A bound socket that never answers.
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let directive = format!(
            "forward . {} {{\n max_concurrent 2\n}}",
            silent.local_addr().unwrap()
        );
        let settings = block(&directive).forward.remove(0);
        let (none, metrics) = (Ourselves::default(), Arc::default());
        let forwarder = Forwarder::new(settings, &Name::root(), &none, &metrics);
        let question = Question {
            name: Name::from_ascii("www.example.com.").unwrap(),
            kind: RecordType::A,
            class: DNSClass::IN,
            dnssec_ok: false,
            checking_disabled: false,
        };
        let taken = forwarder.permits.acquire_many(2).await.unwrap();
        let refused = forwarder.ask_upstreams(&question).await;
        assert_eq!(
            refused,
            Some(Answer::without_records(ResponseCode::Refused))
        );
        drop(taken);
        assert_eq!(forwarder.ask_upstreams(&question).await, None);
    }
}
