//! Starts and ends the parts of cluster DNS.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::sync::watch::channel;

use super::Error;
use super::corefile_watch;
use super::listeners::{Listeners, listen_on_all};
use super::loader::{Corefile, Loaded, Loader, State};
use super::metrics::Metrics;
use super::options::Options;
use super::probe::Page;
use super::resolver::Resolver;
use crate::kubernetes;

/// How often files that a Corefile names are looked at.
const FILE_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Our own service's address, as the kubelet tells pods of its namespace.
const OWN_SERVICE: &str = "KUBE_DNS_SERVICE_HOST";

/// The address of this pod's node, which may be a control plane.
const HOST: &str = "HOST_IP";

/// Runs cluster DNS until SIGTERM or SIGINT.
///
/// Options: `--domain=cluster.local`, `--listen=[::]:53`, `--health=[::]:8080`, `--ready=[::]:8181`. What is
/// answered is said by the Corefile in the cluster's ConfigMap `kube-system/coredns`; with CoreDNS's
/// `-conf FILE`, by that file, and a cluster is needed only if it says so. The cluster is that of
/// [`kubernetes::client`].
pub(crate) fn run_dns(args: &[String]) -> Result<(), Error> {
    let options = Options::parse_arguments(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(serve_dns(options))
}

/// Starts everything and waits for the end.
async fn serve_dns(options: Options) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Runtime)?;
    let mut loader = make_loader(&options);
    let pages = Pages::start(&options, &loader).await?;
    let mut updates = match &options.corefile {
        Some(path) => follow_file(&mut loader, path).await?,
        None => follow_cluster(&mut loader, &options).await?,
    };
    // With a file, everything is known already.
    pages
        .loaded
        .store(options.corefile.is_some(), Ordering::Relaxed);
    let mut look = tokio::time::interval(FILE_POLL_INTERVAL);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(update) = updates.recv() => {
                let corefile = corefile_watch::corefile_of_object(update, &options.domain.to_ascii());
                loader.load_corefile(corefile).await;
                pages.loaded.store(true, Ordering::Relaxed);
            }
            _ = look.tick() => {
                loader.refresh().await;
                if loader.lacks_client() {
                    loader.set_client(connect_client().await?);
                }
            }
        }
    }
    pages.ending.store(true, Ordering::Relaxed);
    tracing::info!("ending");
    tokio::time::sleep(loader.lameduck()).await;
    Ok(())
}

/// Makes what loads Corefiles.
fn make_loader(options: &Options) -> Loader {
    let metrics = Arc::new(Metrics::default());
    count_panics(metrics.clone());
    let (chains, in_force) = channel(Arc::default());
    let (index, indexes) = channel(None);
    let (pod, pods) = channel(None);
    let resolver = Resolver::new(in_force, indexes, pods);
    let own: Option<IpAddr> = std::env::var(OWN_SERVICE)
        .ok()
        .and_then(|text| text.parse().ok());
    Loader {
        listeners: Listeners::new(options.listen, resolver, metrics.clone()),
        metrics,
        chains,
        indexes: Arc::new(index),
        pods: Arc::new(pod),
        service: own.into_iter().collect(),
        needs_cluster: Arc::default(),
        needs_pods: Arc::default(),
        state: State::default(),
    }
}

/// Follows the Corefile of the cluster; until it is known, the default is in force.
async fn follow_cluster(
    loader: &mut Loader,
    options: &Options,
) -> Result<mpsc::Receiver<Option<ConfigMap>>, Error> {
    let default = corefile_watch::corefile_of_object(None, &options.domain.to_ascii());
    in_force(loader.load_corefile(default).await)?;
    let client = connect_client().await?;
    loader.set_client(client.clone());
    let (sender, updates) = mpsc::channel(1);
    tokio::spawn(corefile_watch::watch_corefile(client, sender));
    Ok(updates)
}

/// Follows a Corefile in a file, which is looked at like others that it names.
async fn follow_file(
    loader: &mut Loader,
    path: &Path,
) -> Result<mpsc::Receiver<Option<ConfigMap>>, Error> {
    in_force(loader.load_corefile(Corefile::read_corefile(path)?).await)?;
    if loader.lacks_client() {
        loader.set_client(connect_client().await?);
    }
    // No cluster has anything to say.
    Ok(mpsc::channel(1).1)
}

/// The first Corefile must be one.
fn in_force(loaded: Loaded) -> Result<(), Error> {
    match loaded {
        Loaded::InForce { failures } => failures.into_iter().next().map_or(Ok(()), Err),
        Loaded::Refused(reason) => Err(Error::Corefile(reason)),
    }
}

/// Makes the way to the cluster.
async fn connect_client() -> Result<Client, Error> {
    let host = std::env::var(HOST).ok();
    Ok(kubernetes::client_beside(host.as_deref()).await?)
}

/// The pages that the kubelet looks at, and what they tell.
struct Pages {
    /// The Corefile of the cluster is known, or that there is none.
    loaded: Arc<AtomicBool>,
    /// The program ends soon.
    ending: Arc<AtomicBool>,
}

impl Pages {
    /// Serves both.
    async fn start(options: &Options, loader: &Loader) -> Result<Self, Error> {
        let health =
            listen_on_all(options.health, |address| Page::bind(address, "/health")).await?;
        let ready = listen_on_all(options.ready, |address| Page::bind(address, "/ready")).await?;
        let pages = Self {
            loaded: Arc::default(),
            ending: Arc::default(),
        };
        let well = || Some("OK".to_owned());
        tokio::spawn(health.serve_page(well));
        let (loaded, ending) = (pages.loaded.clone(), pages.ending.clone());
        let (indexes, needs_cluster) = (loader.indexes.subscribe(), loader.needs_cluster.clone());
        let (pods, needs_pods) = (loader.pods.subscribe(), loader.needs_pods.clone());
        let is = |told: &AtomicBool| told.load(Ordering::Relaxed);
        tokio::spawn(ready.serve_page(move || {
            let services_known = !is(&needs_cluster) || indexes.borrow().is_some();
            let pods_known = !is(&needs_pods) || pods.borrow().is_some();
            (services_known && pods_known && is(&loaded) && !is(&ending)).then(|| "OK".to_owned())
        }));
        Ok(pages)
    }
}

/// Counts panics, beside what is done about them anyhow.
fn count_panics(metrics: Arc<Metrics>) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        metrics.panicked();
        before(panic);
    }));
}
