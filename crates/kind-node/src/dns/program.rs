//! Starts and ends the parts of cluster DNS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch::channel;

use super::Error;
use super::forward::Forwarder;
use super::options::Options;
use super::probe::Page;
use super::resolver::Resolver;
use super::server::Server;
use super::zone::Zone;
use super::{resolv_conf, watch};
use crate::kubernetes;

/// Time between the signal to end and the end: until then clients that do not know yet still get
/// their answers.
const LAME_DUCK: Duration = Duration::from_secs(2);

/// Our own service's address, as the kubelet tells pods of its namespace.
const OWN_SERVICE: &str = "KUBE_DNS_SERVICE_HOST";

/// The address of this pod's node, which may be a control plane.
const HOST: &str = "HOST_IP";

/// Runs cluster DNS until SIGTERM or SIGINT.
///
/// Options: `--domain=cluster.local`, `--listen=[::]:53`, `--health=[::]:8080`, `--ready=[::]:8181`,
/// `--resolv-conf=/etc/resolv.conf`. With CoreDNS's `-conf FILE`, which kubeadm's addon gives, the domain
/// is the one that file names. The cluster is that of [`kubernetes::client`].
pub(crate) fn run(args: &[String]) -> Result<(), Error> {
    let mut options = Options::parse(args)?;
    if let Some(path) = &options.corefile {
        let text = read(path)?;
        options.follow(&text)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(serve(options))
}

/// Starts everything and waits for the end.
async fn serve(options: Options) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Runtime)?;
    let server = listen(options.listen, Server::bind).await?;
    let health = listen(options.health, |address| Page::bind(address, "/health")).await?;
    let ready = listen(options.ready, |address| Page::bind(address, "/ready")).await?;
    let forwarder = forwarder(&options, &server)?;

    let client = kubernetes::client_beside(std::env::var(HOST).ok().as_deref()).await?;
    let (sender, indexes) = channel(None);
    let ending = Arc::new(AtomicBool::new(false));
    let resolver = Arc::new(Resolver::new(
        Zone::new(options.domain),
        indexes.clone(),
        forwarder,
    ));
    tokio::spawn(watch::watch(client, Arc::new(sender)));
    tokio::spawn(server.run(resolver.clone()));
    tokio::spawn(health.run(|| true));
    let told = ending.clone();
    tokio::spawn(ready.run(move || indexes.borrow().is_some() && !told.load(Ordering::Relaxed)));
    tokio::spawn(async move { resolver.forwarder().probe().await });

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    ending.store(true, Ordering::Relaxed);
    tracing::info!("ending");
    tokio::time::sleep(LAME_DUCK).await;
    Ok(())
}

/// Makes the forwarder to the servers of `resolv.conf`.
fn forwarder(options: &Options, server: &Server) -> Result<Forwarder, Error> {
    let text = read(&options.resolv_conf)?;
    let own: Option<IpAddr> = std::env::var(OWN_SERVICE)
        .ok()
        .and_then(|text| text.parse().ok());
    let listening = server.address().map_err(Error::Runtime)?;
    let servers = resolv_conf::servers(&text);
    Ok(Forwarder::new(&servers, own.as_slice(), &[listening]))
}

/// Reads a file of text.
fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

/// Binds to an address; where the kernel has no IPv6, "any address" is bound as IPv4's.
async fn listen<T, F>(address: SocketAddr, bind: impl Fn(SocketAddr) -> F) -> Result<T, Error>
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
