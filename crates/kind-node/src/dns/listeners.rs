//! The sockets that the Corefile in force asks for: one pair for each port, and pages of metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::Error;
use super::configuration::Configuration;
use super::metrics::Metrics;
use super::probe::Page;
use super::resolver::Resolver;
use super::server::Server;

/// The port of a Corefile that `--listen` is for.
const DNS: u16 = 53;

/// What is listened on.
#[derive(Debug)]
pub(crate) struct Listeners {
    listen: SocketAddr,
    resolver: Resolver,
    metrics: Arc<Metrics>,
    /// What is wanted, and what of it is there.
    ports: BTreeSet<u16>,
    servers: BTreeMap<u16, JoinHandle<()>>,
    addresses: BTreeSet<SocketAddr>,
    pages: BTreeMap<SocketAddr, JoinHandle<()>>,
}

impl Listeners {
    /// None yet; `listen` is where port 53 is.
    pub(crate) fn new(listen: SocketAddr, resolver: Resolver, metrics: Arc<Metrics>) -> Self {
        Self {
            listen,
            resolver,
            metrics,
            ports: BTreeSet::new(),
            servers: BTreeMap::new(),
            addresses: BTreeSet::new(),
            pages: BTreeMap::new(),
        }
    }

    /// Where the sockets of a port of a Corefile are.
    pub(crate) fn address(&self, port: u16) -> SocketAddr {
        let port = if port == DNS {
            self.listen.port()
        } else {
            port
        };
        SocketAddr::new(self.listen.ip(), port)
    }

    /// Listens where a configuration asks for, and nowhere else any more. Returns why some of it failed.
    pub(crate) async fn follow_configuration(
        &mut self,
        configuration: &Configuration,
    ) -> Vec<Error> {
        self.ports = configuration.ports();
        self.addresses = configuration.metrics();
        end_others(&mut self.servers, &self.ports).await;
        end_others(&mut self.pages, &self.addresses).await;
        self.complete().await
    }

    /// Listens where that failed before: what was in the way may be gone. Returns why it fails still.
    pub(crate) async fn complete(&mut self) -> Vec<Error> {
        let mut failures = Vec::new();
        for port in self.ports.clone() {
            if self.servers.contains_key(&port) {
                continue;
            }
            match listen_on_all(self.address(port), Server::bind).await {
                Ok(server) => {
                    let serving = tokio::spawn(server.serve_queries(self.resolver.clone(), port));
                    self.servers.insert(port, serving);
                }
                Err(error) => failures.push(error),
            }
        }
        for address in self.addresses.clone() {
            if self.pages.contains_key(&address) {
                continue;
            }
            match listen_on_all(address, |address| Page::bind(address, "/metrics")).await {
                Ok(page) => {
                    let metrics = self.metrics.clone();
                    let serving = tokio::spawn(page.serve_page(move || Some(metrics.render())));
                    self.pages.insert(address, serving);
                }
                Err(error) => failures.push(error),
            }
        }
        failures
    }
}

/// Ends what is not wanted any more, and waits until its sockets are closed: others may want the same port.
async fn end_others<K: Ord>(serving: &mut BTreeMap<K, JoinHandle<()>>, wanted: &BTreeSet<K>) {
    for (_, task) in serving.extract_if(.., |key, _| !wanted.contains(key)) {
        task.abort();
        // Ends with the error that it was aborted.
        let _ = task.await;
    }
}

/// Binds to an address; where the kernel has no IPv6, "any address" is bound as IPv4's.
pub(crate) async fn listen_on_all<T, F>(
    address: SocketAddr,
    bind: impl Fn(SocketAddr) -> F,
) -> Result<T, Error>
where
    F: Future<Output = std::io::Result<T>>,
{
    let failed = |address| move |source| Error::Listen { address, source };
    match bind(address).await {
        Err(error)
            if address.ip().is_unspecified()
                && address.is_ipv6()
                && error.kind() != std::io::ErrorKind::AddrInUse =>
        {
            let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
            bind(address).await.map_err(failed(address))
        }
        result => result.map_err(failed(address)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error as IoError, ErrorKind};
    use std::net::TcpListener;

    use tokio::sync::watch::channel;

    use super::super::configuration::tests::read;
    use super::*;

    /// Listeners that have not listened yet.
    fn listeners() -> Listeners {
        let (_, chains) = channel(Arc::default());
        let (_, indexes) = channel(None);
        let (_, pods) = channel(None);
        let any = "127.0.0.1:0".parse().unwrap();
        Listeners::new(any, Resolver::new(chains, indexes, pods), Arc::default())
    }

    /// Follows a Corefile with metrics there; tells what failed.
    async fn follow(listeners: &mut Listeners, metrics: SocketAddr) -> Vec<String> {
        let (configuration, _) = read(&format!(". {{\n prometheus {metrics}\n}}")).unwrap();
        let mut failures = listeners.follow_configuration(&configuration).await;
        // The UDP and the TCP socket of "any port" want the same one, which another test may hold.
        while failures
            .iter()
            .any(|error| error.to_string() == "listen on 127.0.0.1:0")
        {
            failures = listeners.complete().await;
        }
        failures.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn metrics_move_to_all_addresses_of_the_same_port() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let one = taken.local_addr().unwrap();
        drop(taken);
        let all = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), one.port());
        let mut listeners = listeners();
        for metrics in [one, all, one] {
            assert_eq!(follow(&mut listeners, metrics).await, [""; 0], "{metrics}");
            assert!(TcpListener::bind(metrics).is_err(), "{metrics}");
        }
    }

    #[tokio::test]
    async fn what_was_in_the_way_is_waited_for() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let metrics = taken.local_addr().unwrap();
        let mut listeners = listeners();
        let failure = format!("listen on {metrics}");
        assert_eq!(follow(&mut listeners, metrics).await, [failure]);
        assert_eq!(listeners.complete().await.len(), 1);
        drop(taken);
        assert!(listeners.complete().await.is_empty());
        assert!(TcpListener::bind(metrics).is_err());
    }

    /// Binds nothing; IPv6 fails in that way.
    async fn bound(address: &str, failure: ErrorKind) -> Result<String, String> {
        let bind = async |address: SocketAddr| match address {
            SocketAddr::V6(_) => Err(IoError::from(failure)),
            SocketAddr::V4(_) => Ok(address.to_string()),
        };
        let result = listen_on_all(address.parse().unwrap(), bind).await;
        result.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn any_address_is_that_of_ipv4_where_there_is_no_ipv6() {
        let unsupported = ErrorKind::AddrNotAvailable;
        let result = bound("[::]:53", unsupported).await;
        assert_eq!(result, Ok("0.0.0.0:53".to_owned()));
        let result = bound("[::1]:53", unsupported).await;
        assert_eq!(result, Err("listen on [::1]:53".to_owned()));
        let result = bound("[::]:53", ErrorKind::AddrInUse).await;
        assert_eq!(result, Err("listen on [::]:53".to_owned()));
    }
}
