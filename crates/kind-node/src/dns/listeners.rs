//! The sockets that the Corefile in force asks for: one pair for each port, and pages of metrics.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::task::AbortHandle;

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
    servers: BTreeMap<u16, AbortHandle>,
    pages: BTreeMap<SocketAddr, AbortHandle>,
}

impl Listeners {
    /// None yet; `listen` is where port 53 is.
    pub(crate) fn new(listen: SocketAddr, resolver: Resolver, metrics: Arc<Metrics>) -> Self {
        Self {
            listen,
            resolver,
            metrics,
            servers: BTreeMap::new(),
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

    /// Listens where a configuration asks for, and nowhere else any more.
    ///
    /// # Errors
    /// All that cannot be listened on; the rest is.
    pub(crate) async fn follow(&mut self, configuration: &Configuration) -> Result<(), Vec<Error>> {
        let (ports, pages) = (configuration.ports(), configuration.metrics());
        end_others(&mut self.servers, |port| ports.contains(port));
        end_others(&mut self.pages, |address| pages.contains(address));
        let mut failures = Vec::new();
        for port in ports {
            if self.servers.contains_key(&port) {
                continue;
            }
            match listen(self.address(port), Server::bind).await {
                Ok(server) => {
                    let serving = tokio::spawn(server.run(self.resolver.clone(), port));
                    self.servers.insert(port, serving.abort_handle());
                }
                Err(error) => failures.push(error),
            }
        }
        for address in pages {
            if self.pages.contains_key(&address) {
                continue;
            }
            match listen(address, |address| Page::bind(address, "/metrics")).await {
                Ok(page) => {
                    let metrics = self.metrics.clone();
                    let serving = tokio::spawn(page.run(move || Some(metrics.render())));
                    self.pages.insert(address, serving.abort_handle());
                }
                Err(error) => failures.push(error),
            }
        }
        if failures.is_empty() {
            Ok(())
        } else {
            Err(failures)
        }
    }
}

/// Ends what is not wanted any more.
fn end_others<K: Ord>(serving: &mut BTreeMap<K, AbortHandle>, wanted: impl Fn(&K) -> bool) {
    serving.retain(|key, task| {
        let keep = wanted(key);
        if !keep {
            task.abort();
        }
        keep
    });
}

/// Binds to an address; where the kernel has no IPv6, "any address" is bound as IPv4's.
pub(crate) async fn listen<T, F>(
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

    use super::*;

    /// Binds nothing; IPv6 fails in that way.
    async fn bound(address: &str, failure: ErrorKind) -> Result<String, String> {
        let bind = async |address: SocketAddr| match address {
            SocketAddr::V6(_) => Err(IoError::from(failure)),
            SocketAddr::V4(_) => Ok(address.to_string()),
        };
        let result = listen(address.parse().unwrap(), bind).await;
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
