//! Names that are not ours: from the cache, or from the servers of `resolv.conf`.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, Name, RecordType};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::answer::{Answer, Question};
use super::cache::Cache;
use super::upstream;

/// Answers kept.
const CACHED: usize = 4096;

/// Questions under way; more are refused, so that a dead upstream costs bounded memory. What kubeadm
/// gives CoreDNS.
const IN_FLIGHT: usize = 1000;

/// Time for one server.
const PATIENCE: Duration = Duration::from_secs(2);

/// Time for all servers, just below what clients wait before they ask again.
const DEADLINE: Duration = Duration::from_millis(4500);

/// For how long a server that failed comes after the others.
const REST: Duration = Duration::from_secs(10);

/// The way to names that are not ours.
#[derive(Debug)]
pub(crate) struct Forwarder {
    servers: Vec<Server>,
    cache: Mutex<Cache>,
    permits: Semaphore,
}

/// An upstream server.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    /// A name nobody else asks for: if it comes in, what we send to this server comes back to us.
    probe: Name,
    returns: AtomicBool,
    failed: Mutex<Option<Instant>>,
}

impl Forwarder {
    /// A forwarder to these servers, without those that are clearly ourselves: `own` are the
    /// addresses of our service, `listening` where our sockets are.
    pub(crate) fn new(servers: &[SocketAddr], own: &[IpAddr], listening: &[SocketAddr]) -> Self {
        let ourselves = |server: &&SocketAddr| {
            let is = own.contains(&server.ip()) || reaches(listening, **server);
            if is {
                tracing::warn!(%server, "refused an upstream server that is this server itself");
            }
            is
        };
        let others = servers.iter().filter(|server| !ourselves(server));
        Self {
            servers: others.copied().map(Server::new).collect(),
            cache: Mutex::new(Cache::new(CACHED)),
            permits: Semaphore::new(IN_FLIGHT),
        }
    }

    /// Returns an answer that is known already.
    pub(crate) fn known(&self, question: &Question) -> Option<Answer> {
        lock(&self.cache).get(question, Instant::now())
    }

    /// Asks the upstream servers one after the other until one knows.
    pub(crate) async fn ask(&self, question: &Question) -> Answer {
        if self.came_back(&question.name) {
            return Answer::bare(ResponseCode::Refused);
        }
        let Ok(_permit) = self.permits.try_acquire() else {
            return Answer::bare(ResponseCode::Refused);
        };
        let asked = timeout(DEADLINE, self.ask_servers(question)).await;
        let answer = asked.unwrap_or_else(|_| Answer::bare(ResponseCode::ServFail));
        lock(&self.cache).insert(question.clone(), &answer, Instant::now());
        answer
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
            if let Err(error) = upstream::ask(server.address, &question, PATIENCE).await {
                tracing::warn!(server = %server.address, %error, "upstream server does not answer");
            }
        }
    }

    /// Asks the servers, twice if need be: a datagram may get lost.
    async fn ask_servers(&self, question: &Question) -> Answer {
        let mut refusal = Answer::bare(ResponseCode::ServFail);
        for _ in 0..2 {
            let mut lost = false;
            for server in self.in_order() {
                match upstream::ask(server.address, question, PATIENCE).await {
                    Ok(answer) => {
                        server.set_failed(false);
                        if matches!(answer.code, ResponseCode::NoError | ResponseCode::NXDomain) {
                            return answer;
                        }
                        refusal = Answer::bare(answer.code);
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

    /// The servers in the order of `resolv.conf`, those that failed lately last.
    fn in_order(&self) -> Vec<&Server> {
        let usable = self.servers.iter().filter(|server| server.usable());
        let (mut resting, mut order): (Vec<_>, Vec<_>) = usable.partition(|one| one.rests());
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
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            probe: probe_name(),
            returns: AtomicBool::new(false),
            failed: Mutex::new(None),
        }
    }

    /// Tells whether questions to this server do not come back to us.
    fn usable(&self) -> bool {
        !self.returns.load(Ordering::Relaxed)
    }

    /// Tells whether it failed lately.
    fn rests(&self) -> bool {
        lock(&self.failed).is_some_and(|failed| failed.elapsed() < REST)
    }

    /// Remembers how it went.
    fn set_failed(&self, failed: bool) {
        *lock(&self.failed) = failed.then(Instant::now);
    }
}

/// A name of two random labels, outside every real domain.
fn probe_name() -> Name {
    let label = || format!("{:04x}{:04x}", upstream::random(), upstream::random());
    // Two labels of eight digits are always a name.
    Name::from_ascii(format!("{}.{}.", label(), label())).unwrap_or_default()
}

/// Tells whether one of our sockets is what that address leads to.
fn reaches(listening: &[SocketAddr], server: SocketAddr) -> bool {
    listening.iter().any(|own| {
        own.port() == server.port()
            && (own.ip() == server.ip() || own.ip().is_unspecified() && is_local(server.ip()))
    })
}

/// Tells whether an address is one of this network namespace: only then can a socket have it.
fn is_local(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// Locks; a panic elsewhere leaves nothing half-written that matters.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn kept(servers: &[&str], own: &[&str], listening: &[&str]) -> Vec<String> {
        let own: Vec<IpAddr> = own.iter().map(|text| text.parse().unwrap()).collect();
        let forwarder = Forwarder::new(&addresses(servers), &own, &addresses(listening));
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
        assert_eq!(kept(&["127.0.0.2:53"], &[], &["127.0.0.2:53"]), none);
        assert_eq!(
            kept(&["127.0.0.3:53"], &[], &["127.0.0.2:53"]),
            ["127.0.0.3:53"]
        );
    }

    #[test]
    fn failed_server_comes_last() {
        let servers = addresses(&["192.0.2.1:53", "192.0.2.2:53"]);
        let forwarder = Forwarder::new(&servers, &[], &[]);
        forwarder.servers[0].set_failed(true);
        let order: Vec<_> = forwarder.in_order().iter().map(|one| one.address).collect();
        assert_eq!(order, [servers[1], servers[0]]);
        forwarder.servers[0].set_failed(false);
        let order: Vec<_> = forwarder.in_order().iter().map(|one| one.address).collect();
        assert_eq!(order, servers);
    }

    #[test]
    fn server_whose_probe_comes_back_is_not_used() {
        let forwarder = Forwarder::new(&addresses(&["192.0.2.1:53"]), &[], &[]);
        let probe = forwarder.servers[0].probe.clone();
        assert!(!forwarder.came_back(&Name::root()));
        assert!(forwarder.came_back(&probe));
        assert!(forwarder.in_order().is_empty());
    }

    #[tokio::test]
    async fn more_questions_than_allowed_are_refused() {
        let forwarder = Forwarder::new(&[], &[], &[]);
        let question = Question {
            name: Name::from_ascii("www.example.com.").unwrap(),
            kind: RecordType::A,
            class: DNSClass::IN,
            dnssec_ok: false,
            checking_disabled: false,
        };
        let all = u32::try_from(IN_FLIGHT).unwrap();
        let taken = forwarder.permits.acquire_many(all).await.unwrap();
        let code = forwarder.ask(&question).await.code;
        assert_eq!(code, ResponseCode::Refused);
        drop(taken);
        let code = forwarder.ask(&question).await.code;
        assert_eq!(code, ResponseCode::ServFail);
    }
}
