//! Putting Corefiles in force, one after the other; a broken one leaves the one before.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kind_node::corefile::Environment;
use kube::Client;
use sha2::{Digest, Sha512};
use tokio::sync::watch::Sender;
use tokio::task::AbortHandle;

use super::chain::Chain;
use super::configuration::{Configuration, Problem};
use super::index::Index;
use super::listeners::Listeners;
use super::metrics::{InForce, Metrics};
use super::model::Pods;
use super::plugin::arguments::DirectiveError;
use super::report::{self, Reason};
use super::resolver::Chains;
use super::surroundings::Surroundings;
use super::{Error, pods, watch};

/// Time between the signal to end and the end, where nothing is said: until then clients that do not know yet
/// still get their answers.
const LAMEDUCK_DURATION: Duration = Duration::from_secs(2);

/// A Corefile with what it comes from.
#[derive(Debug)]
pub(crate) struct Corefile {
    pub(crate) text: String,
    /// Its name in messages.
    pub(crate) name: String,
    /// What it may name.
    pub(crate) surroundings: Surroundings,
    /// The ConfigMap that it comes from.
    pub(crate) about: Option<ObjectReference>,
    /// The file that it comes from.
    pub(crate) path: Option<PathBuf>,
}

impl Corefile {
    /// Reads the one in a file.
    pub(crate) fn read_corefile(path: &Path) -> Result<Self, Error> {
        let unread = || Error::Read(path.to_owned());
        // What it names is looked for beside it, itself included: relative to here once, not twice.
        let path = std::path::absolute(path).map_err(|_| unread())?;
        let surroundings = Surroundings::of_file(&path);
        let files = surroundings.files(&path.to_string_lossy()).into_iter();
        let text = files.map(|(_, text)| text).next();
        Ok(Self {
            text: text.ok_or_else(unread)?,
            name: path.to_string_lossy().into_owned(),
            surroundings,
            about: None,
            path: Some(path),
        })
    }
}

/// Where everything that a Corefile changes is.
pub(crate) struct Loader {
    /// What is listened on.
    pub(crate) listeners: Listeners,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The server blocks in force.
    pub(crate) chains: Sender<Chains>,
    /// What is known of the cluster.
    pub(crate) indexes: Arc<Sender<Option<Arc<Index>>>>,
    pub(crate) pods: Arc<Sender<Option<Arc<Pods>>>>,
    /// Addresses of our own Service.
    pub(crate) service: Vec<IpAddr>,
    /// The Corefile in force has something of the cluster.
    pub(crate) needs_cluster: Arc<AtomicBool>,
    /// It is about the cluster's pods too.
    pub(crate) needs_pods: Arc<AtomicBool>,
    /// What is in force, and what runs for it.
    pub(crate) state: State,
}

/// What is in force, and what runs for it.
#[derive(Default)]
pub(crate) struct State {
    client: Option<Client>,
    watching: bool,
    pods: Option<AbortHandle>,
    corefile: Option<Corefile>,
    lameduck: Option<Duration>,
}

/// What became of a Corefile.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// It is in force, but for sockets that could not be made.
    InForce {
        /// Why not.
        failures: Vec<Error>,
    },
    /// The one before is; the text says why.
    Refused(String),
}

impl Loader {
    /// Gives it the way to the cluster, for what Corefiles need of it.
    pub(crate) fn set_client(&mut self, client: Client) {
        self.state.client = Some(client);
        self.watch_services();
        self.watch_pods(self.needs_pods.load(Ordering::Relaxed));
    }

    /// Tells whether the Corefile in force needs a cluster to which there is no way yet.
    pub(crate) fn lacks_client(&self) -> bool {
        self.needs_cluster.load(Ordering::Relaxed) && self.state.client.is_none()
    }

    /// Time between the signal to end and the end.
    pub(crate) fn lameduck(&self) -> Duration {
        self.state.lameduck.unwrap_or(LAMEDUCK_DURATION)
    }

    /// Loads the Corefile again if a file that it names has changed, and listens where that failed before.
    pub(crate) async fn refresh(&mut self) {
        for failure in self.listeners.complete().await {
            tracing::debug!("{}", error_chain(&failure));
        }
        let in_force = &mut self.state.corefile;
        let changed = in_force.take_if(|corefile| corefile.surroundings.changed());
        let Some(corefile) = changed else { return };
        match corefile.path.as_deref().map(Corefile::read_corefile) {
            None => drop(self.load_corefile(corefile).await),
            Some(Ok(newest)) => drop(self.load_corefile(newest).await),
            // A file that is gone leaves what it said.
            Some(Err(_)) => self.state.corefile = Some(corefile),
        }
    }

    /// Puts a Corefile in force, and tells what of it is not.
    pub(crate) async fn load_corefile(&mut self, corefile: Corefile) -> Loaded {
        let read =
            Configuration::read_blocks(&corefile.text, &corefile.name, &corefile.surroundings);
        let mut told = Vec::new();
        let loaded = match read {
            Ok((configuration, problems)) => {
                told.extend(problems.iter().map(left_out));
                let failures = self.put_in_force(configuration, &corefile.text).await;
                told.extend(
                    failures
                        .iter()
                        .map(|error| (Reason::Failed, error_chain(error))),
                );
                tracing::info!(corefile = corefile.name, "in force");
                Loaded::InForce { failures }
            }
            Err(problems) => {
                self.metrics.reload_failed();
                told.extend(problems.iter().map(describe_refusal));
                let reasons: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Loaded::Refused(reasons.join("; "))
            }
        };
        for (_, text) in &told {
            tracing::warn!("{text}");
        }
        if let (Some(client), Some(about)) = (&self.state.client, &corefile.about) {
            let (client, about) = (client.clone(), about.clone());
            tokio::spawn(async move { report::report_event(&client, &about, &told).await });
        }
        self.state.corefile = Some(corefile);
        loaded
    }

    /// Puts a configuration in force; returns what of it failed.
    async fn put_in_force(&mut self, configuration: Configuration, text: &str) -> Vec<Error> {
        let failures = self.listeners.follow_configuration(&configuration).await;
        self.state.lameduck = configuration.lameduck;
        self.watch_pods(configuration.uses_pods());
        let needs_cluster = configuration.uses_kubernetes();
        self.needs_cluster.store(needs_cluster, Ordering::Relaxed);
        let listening = |port| self.listeners.address(port);
        let blocks = configuration.blocks.into_iter();
        let chains: Vec<Arc<Chain>> = blocks
            .map(|block| Chain::new(block, &self.service, listening, &self.metrics))
            .map(Arc::new)
            .collect();
        self.metrics.set_in_force(InForce {
            hash: Sha512::digest(text)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            plugins: chains.iter().flat_map(|chain| chain.plugins()).collect(),
            hosts_entries: chains.iter().map(|chain| chain.hosts_entries()).sum(),
        });
        for chain in &chains {
            let chain = chain.clone();
            tokio::spawn(async move { chain.probe().await });
        }
        self.chains.send_replace(Arc::new(chains));
        failures
    }

    /// Begins to watch services, once there is a client.
    fn watch_services(&mut self) {
        if let Some(client) = self.state.client.clone()
            && !self.state.watching
        {
            self.state.watching = true;
            tokio::spawn(watch::watch_cluster(client, self.indexes.clone()));
        }
    }

    /// Watches pods as long as somebody needs to know them: in a large cluster that costs something.
    fn watch_pods(&mut self, wanted: bool) {
        self.needs_pods.store(wanted, Ordering::Relaxed);
        match (self.state.pods.take(), self.state.client.clone()) {
            (Some(watching), _) if !wanted => {
                watching.abort();
                self.pods.send_replace(None);
            }
            (None, Some(client)) if wanted => {
                let watching = tokio::spawn(pods::watch_pods(client, self.pods.clone()));
                self.state.pods = Some(watching.abort_handle());
            }
            (watching, _) => self.state.pods = watching,
        }
    }
}

/// What is told of something that is left out.
fn left_out(problem: &Problem) -> (Reason, String) {
    (Reason::NotSupported, problem.to_string())
}

/// What is told of something in a Corefile that is refused.
fn describe_refusal(problem: &Problem) -> (Reason, String) {
    match problem.fault {
        DirectiveError::Invalid(_) => {
            let text = format!("{problem}; the Corefile before stays in force");
            (Reason::Invalid, text)
        }
        DirectiveError::NotSupported(_) => left_out(problem),
    }
}

/// An error with its causes, in one line.
fn error_chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch::channel;

    use super::super::resolver::Resolver;
    use super::*;

    /// A loader that has loaded nothing yet.
    fn loader() -> Loader {
        let (chains, in_force) = channel(Arc::default());
        let (index, indexes) = channel(None);
        let (pod, pods) = channel(None);
        let metrics: Arc<Metrics> = Arc::default();
        let resolver = Resolver::new(in_force, indexes, pods);
        let listen = "127.0.0.1:0".parse().unwrap();
        Loader {
            listeners: Listeners::new(listen, resolver, metrics.clone()),
            metrics,
            chains,
            indexes: Arc::new(index),
            pods: Arc::new(pod),
            service: Vec::new(),
            needs_cluster: Arc::default(),
            needs_pods: Arc::default(),
            state: State::default(),
        }
    }

    #[test]
    fn corefile_in_a_relative_directory_is_found_with_what_is_beside_it() {
        let path = Path::new("src/dns/testdata/corefiles/kubeadm-1.36");
        let corefile = Corefile::read_corefile(path).unwrap();
        assert!(corefile.text.contains("kubernetes"));
        assert!(!corefile.surroundings.changed());
        assert_eq!(corefile.surroundings.files("edits").len(), 1);
    }

    #[tokio::test]
    async fn file_that_is_gone_leaves_what_it_said_and_is_seen_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("Corefile");
        std::fs::write(&path, "a.example {\n errors\n}").unwrap();
        let mut loader = loader();
        loader
            .load_corefile(Corefile::read_corefile(&path).unwrap())
            .await;
        let mut chains = loader.chains.subscribe();
        std::fs::remove_file(&path).unwrap();
        loader.refresh().await;
        assert!(!chains.has_changed().unwrap());
        assert_eq!(chains.borrow().len(), 1);
        let both = "a.example {\n errors\n}\nb.example {\n errors\n}";
        std::fs::write(&path, both).unwrap();
        loader.refresh().await;
        assert!(chains.has_changed().unwrap());
        assert_eq!(chains.borrow_and_update().len(), 2);
        loader.refresh().await;
        assert!(!chains.has_changed().unwrap());
    }

    #[tokio::test]
    async fn pods_are_needed_as_long_as_a_corefile_asks_for_them() {
        let mut loader = loader();
        for (pods, needed) in [("insecure", false), ("verified", true), ("disabled", false)] {
            let text = format!(". {{\n kubernetes cluster.local {{\n  pods {pods}\n }}\n}}");
            let corefile = Corefile {
                text,
                name: "Corefile".to_owned(),
                surroundings: Surroundings::default(),
                about: None,
                path: None,
            };
            loader.load_corefile(corefile).await;
            assert_eq!(loader.needs_pods.load(Ordering::Relaxed), needed, "{pods}");
        }
    }
}
