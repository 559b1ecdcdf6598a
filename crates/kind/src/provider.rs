//! The way in: clusters on one engine. What can be done with them is in the files of each feature, as further
//! methods of [`Provider`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kind_engine::{Engine, EngineKind, Info};
use kind_secret::note_document;

use crate::engines::{self, EngineParts};
use crate::{Agent, Code, EngineChoice, Error, Result};

/// Clusters on one engine.
pub struct Provider {
    engine: Arc<dyn Engine>,
    settings: ProviderBuilder,
    notice: Option<String>,
}

/// How to open a [`Provider`]. The library reads no environment: everything comes in here.
#[derive(Debug, Clone)]
pub struct ProviderBuilder {
    pub(crate) choice: EngineChoice,
    pub(crate) state_dir: PathBuf,
    cache_dir: PathBuf,
    pub(crate) temporary_dir: PathBuf,
    pub(crate) helper: PathBuf,
    pub(crate) agent: Option<Agent>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// A node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Container name and host name.
    pub name: String,
    /// Its cluster.
    pub cluster: String,
    /// Its role, for example `control-plane`.
    pub role: String,
    /// Image reference it was made from.
    pub image: String,
    /// Whether its first process runs.
    pub running: bool,
}

impl ProviderBuilder {
    /// Chooses the engine; the first that answers by default.
    pub fn engine(mut self, choice: EngineChoice) -> Self {
        self.choice = choice;
        self
    }

    /// Where the native engine and builds keep images and nodes; `/var/lib/kind` by default. Clusters on other
    /// engines leave nothing there.
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = directory.into();
        self
    }

    /// Where builds keep what they can use again; `/var/cache/kind` by default.
    pub fn cache_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache_dir = directory.into();
        self
    }

    /// Where directories for logs and temporary files are made; `/tmp` by default.
    pub fn temporary_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.temporary_dir = directory.into();
        self
    }

    /// A program whose `main` calls [`crate::helper_main`] first; the native engine runs it for every
    /// node.
    pub fn helper(mut self, program: impl Into<PathBuf>) -> Self {
        self.helper = program.into();
        self
    }

    /// The program that runs in every node. Without it clusters can be seen and deleted only.
    pub fn agent(mut self, agent: Agent) -> Self {
        self.agent = Some(agent);
        self
    }

    /// Variables of the host's environment: those about proxies are handed on to nodes, the native engine finds
    /// by them how registries are reached, and engines without root their helpers (`PATH`).
    pub fn environment<'a>(
        mut self,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let variables = variables.into_iter().inspect(|(name, value)| {
            if name.to_ascii_lowercase().ends_with("_proxy") {
                note_document(value);
            }
        });
        self.environment = variables
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        self
    }

    /// Opens the engine.
    ///
    /// # Errors
    /// [`Error::EngineUnavailable`], [`Error::NotSupported`] or [`Error::Engine`] if the chosen engine
    /// cannot be used here.
    pub fn open(self) -> Result<Provider> {
        let opened = engines::open_engine(self.choice, self.engine_parts())?;
        Ok(Provider {
            notice: opened.notice,
            ..Provider::on(opened.engine, self)
        })
    }

    /// What engines need of the settings, without the engine.
    pub(crate) fn engine_parts(&self) -> EngineParts {
        EngineParts {
            state_dir: self.state_dir.clone(),
            temporary_dir: self.temporary_dir.clone(),
            helper: self.helper.clone(),
            environment: self.environment.clone(),
        }
    }
}

impl Provider {
    /// Says how to open a provider.
    pub fn builder() -> ProviderBuilder {
        ProviderBuilder {
            choice: EngineChoice::Detect,
            state_dir: PathBuf::from("/var/lib/kind"),
            cache_dir: PathBuf::from("/var/cache/kind"),
            temporary_dir: PathBuf::from("/tmp"),
            helper: PathBuf::new(),
            agent: None,
            environment: BTreeMap::new(),
        }
    }

    /// A provider on an engine that is open.
    pub(crate) fn on(engine: Arc<dyn Engine>, settings: ProviderBuilder) -> Self {
        Self {
            engine,
            settings,
            notice: None,
        }
    }

    /// What the user should know of an engine that was looked for: it is the last resort, or clusters of another one are not
    /// seen, which hangs or denies this user.
    pub fn engine_notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// The engine that is used.
    pub fn engine_kind(&self) -> EngineKind {
        self.engine.kind()
    }

    /// Name of the engine that is used.
    pub fn engine_name(&self) -> &'static str {
        self.engine.name()
    }

    /// Names of all clusters, sorted.
    ///
    /// # Errors
    /// [`Error::Engine`]
    pub fn clusters(&self) -> Result<Vec<String>> {
        let nodes = self.list_nodes(None)?;
        let mut names: Vec<_> = nodes.iter().map(|node| node.cluster().to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Nodes of one cluster, or of all with `None`, newest first.
    ///
    /// # Errors
    /// [`Error::Engine`]
    pub fn nodes(&self, cluster: Option<&str>) -> Result<Vec<Node>> {
        let nodes = self.list_nodes(cluster)?.into_iter().map(|node| Node {
            cluster: node.cluster().to_owned(),
            role: node.role().to_owned(),
            running: node.state == kind_engine::State::Running,
            image: node.image,
            name: node.name,
        });
        Ok(nodes.collect())
    }

    /// Names of the images that the engine has, sorted.
    ///
    /// # Errors
    /// [`Error::Engine`]
    pub fn images(&self) -> Result<Vec<String>> {
        let listed = self.engine.images();
        listed.map_err(Error::engine(Code::ImageLookup, "failed to list images"))
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        self.engine.as_ref()
    }

    /// The same engine, for a thread that may outlive this provider.
    pub(crate) fn shared_engine(&self) -> Arc<dyn Engine> {
        Arc::clone(&self.engine)
    }

    /// The same provider, for work in a thread of its own.
    pub(crate) fn share(&self) -> Self {
        Self::on(self.shared_engine(), self.settings.clone())
    }

    /// How it was opened.
    pub(crate) fn settings(&self) -> &ProviderBuilder {
        &self.settings
    }

    /// The variables that the caller gave; no other ones are read.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.settings.environment
    }

    /// Where builds are kept, and nothing that a cluster needs.
    pub(crate) fn cache_dir(&self) -> &Path {
        &self.settings.cache_dir
    }

    /// Where logs and spools go when nobody names a place.
    pub(crate) fn temporary_dir(&self) -> &Path {
        &self.settings.temporary_dir
    }

    /// A docker that answers on a host whose nodes run on the native engine.
    pub(crate) fn docker_beside(&self) -> Option<Arc<dyn Engine>> {
        if self.engine_kind() != EngineKind::Native {
            return None;
        }
        let opened = engines::open_engine(EngineChoice::Docker, self.settings.engine_parts());
        let docker = opened.ok()?.engine;
        docker.info().is_ok().then_some(docker)
    }

    /// Where native nodes and images are kept.
    pub(crate) fn state_dir(&self) -> &Path {
        &self.settings.state_dir
    }

    /// The program that runs in every node.
    pub(crate) fn agent(&self) -> Result<&Agent> {
        self.settings.agent.as_ref().ok_or_else(|| Error::Io {
            action: "failed to find the program for nodes",
            path: PathBuf::from("kind-node"),
            source: std::io::ErrorKind::NotFound.into(),
        })
    }

    /// Whether the node agent is for the machine that they would run on.
    pub(crate) fn check_machine(&self, host: &Info) -> Result<()> {
        let own = self.settings.agent.as_ref().and_then(Agent::architecture);
        let theirs = host.architecture.as_str();
        match own {
            Some(own) if !theirs.is_empty() && own != theirs => Err(Error::WrongMachine {
                engine: self.engine_name(),
                machine: theirs.to_owned(),
                own: own.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Where that file is, or will be.
    pub(crate) fn agent_place(&self) -> Option<PathBuf> {
        let agent = self.settings.agent.as_ref();
        agent.map(|agent| agent.place(&self.agents_dir()))
    }

    /// Where programs of all versions are.
    pub(crate) fn agents_dir(&self) -> PathBuf {
        self.settings.state_dir.join("agents")
    }

    /// The native engine where another one is in use.
    pub(crate) fn native_beside(&self) -> Option<Arc<dyn Engine>> {
        engines::find_engine(EngineChoice::Native, self.settings.engine_parts()).1
    }

    /// The engine's nodes of one cluster, or of all.
    pub(crate) fn list_nodes(&self, cluster: Option<&str>) -> Result<Vec<kind_engine::Node>> {
        self.engine
            .list(cluster)
            .map_err(Error::engine(Code::NodeList, "failed to list nodes"))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("engine", &self.engine.name())
            .finish_non_exhaustive()
    }
}
