//! The way in: clusters on one engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kind_config::API_SERVER_PORT;
use kind_engine::{Engine, EngineKind, Info};

use crate::bootstrap::ADMIN_CONFIG;
use crate::choice::{self, EngineParts};
use crate::error::Cause;
use crate::event::{Event, Listener};
use crate::kubeconfig::{self, Document, context_name};
use crate::{
    Agent, Assumptions, BuildNodeImage, BuiltNodeImage, CancelToken, CreateCluster, Created,
    DryRun, EngineChoice, Error, KubeconfigFiles, LoadImages, NodeRole, Prune, Pruned, Result,
    StartCluster, create, dry_run, load, logs, node, node_image, power, prune, publish,
};

/// Docker Desktop's label for the host's side of the API server's port.
const DESKTOP_PORT_LABEL: &str = "desktop.docker.io/ports/6443/tcp";

/// Clusters on one engine.
pub struct Provider {
    engine: Arc<dyn Engine>,
    settings: ProviderBuilder,
}

/// How to open a [`Provider`]. The library reads no environment: everything comes in here.
#[derive(Debug, Clone)]
pub struct ProviderBuilder {
    pub(crate) choice: EngineChoice,
    pub(crate) state_dir: PathBuf,
    cache_dir: PathBuf,
    temporary_dir: PathBuf,
    pub(crate) helper: PathBuf,
    agent: Option<Agent>,
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

/// From where the API server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The host.
    External,
    /// The cluster's own network.
    Internal,
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
        let variables = variables.into_iter();
        self.environment = variables
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        self
    }

    /// Says what creating a cluster would make, and makes nothing. No engine has to be there.
    ///
    /// ```
    /// use kind::{Assumptions, CreateCluster, EngineChoice, KubeconfigFiles, Provider};
    ///
    /// let two = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{}, {role: worker}]\n";
    /// let options = CreateCluster::new(KubeconfigFiles::one("/tmp/config")).config_text(two)?;
    /// let run = Provider::builder()
    ///     .engine(EngineChoice::Podman)
    ///     .dry_run(&options, &Assumptions::new(), &|_| {})?;
    /// assert_eq!(run.plan.nodes[1].name, "kind-worker");
    /// assert!(run.nodes["kind-worker"].files.contains_key("/kind/kubeadm.conf"));
    /// # Ok::<(), kind::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is wrong, [`Error::Document`] if a node's documents cannot
    /// be made, [`Error::UnknownVersion`] if the Kubernetes version of an image is not known.
    pub fn dry_run(
        &self,
        options: &CreateCluster,
        assumptions: &Assumptions,
        listener: Listener<'_>,
    ) -> Result<DryRun> {
        dry_run::run(self, options, assumptions, listener)
    }

    /// Opens the engine.
    ///
    /// # Errors
    /// [`Error::EngineUnavailable`], [`Error::NotSupported`] or [`Error::Engine`] if the chosen engine
    /// cannot be used here.
    pub fn open(self) -> Result<Provider> {
        Ok(Provider {
            engine: choice::open(self.choice, self.engine_parts())?,
            settings: self,
        })
    }

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

    /// A provider on an engine that a test brings.
    #[cfg(test)]
    pub(crate) fn on(engine: Arc<dyn Engine>, settings: ProviderBuilder) -> Self {
        Self { engine, settings }
    }

    /// The engine that is used.
    pub fn engine_kind(&self) -> EngineKind {
        self.engine.kind()
    }

    /// Name of the engine that is used.
    pub fn engine_name(&self) -> &'static str {
        self.engine.name()
    }

    /// Creates a cluster and makes it the current one of the kubeconfig.
    ///
    /// # Errors
    /// Any; nothing of the cluster is left then unless [`CreateCluster::retain`] asks for it.
    pub fn create(&self, options: &CreateCluster, listener: Listener<'_>) -> Result<Created> {
        create::run(self, options, listener)
    }

    /// Removes a cluster and its entry in every kubeconfig file, if there are any. A cluster that does not
    /// exist is no error.
    ///
    /// # Errors
    /// Nodes or entries that cannot be removed; everything else is removed all the same.
    pub fn delete(
        &self,
        cluster: &str,
        files: Option<&KubeconfigFiles>,
        listener: Listener<'_>,
    ) -> Result<()> {
        let nodes = self.list(Some(cluster))?;
        let mut errors = Vec::new();
        let removed = files.map(|files| kubeconfig::remove_everywhere(files, cluster));
        if let Some(Err(error)) = removed {
            errors.push(Error::Kubeconfig {
                action: "failed to update kubeconfig".to_owned(),
                source: Cause::new(error.code(), crate::error::chain(&error))
                    .with_remedy(error.remedy()),
            });
        }
        let names: Vec<_> = nodes.into_iter().map(|node| node.name).collect();
        if !names.is_empty() {
            match self.engine.remove(&names) {
                Ok(()) => listener(Event::NodesDeleted { nodes: names }),
                Err(error) => errors.push(Error::engine("failed to delete nodes")(error)),
            }
        }
        Error::collect(errors)
    }

    /// Ends all nodes of a cluster at once, and returns the names of those that ran. Everything that they
    /// hold stays.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`], or [`Error::Engine`] if a node cannot be stopped.
    pub fn stop(&self, cluster: &str) -> Result<Vec<String>> {
        power::stop(self, cluster)
    }

    /// Starts all nodes of a cluster that do not run, and returns their names.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`], or [`Error::Engine`] if a node cannot be started.
    pub fn start(&self, options: &StartCluster, listener: Listener<'_>) -> Result<Vec<String>> {
        power::start(self, options, listener)
    }

    /// Names of all clusters, sorted.
    ///
    /// # Errors
    /// [`Error::Engine`]
    pub fn clusters(&self) -> Result<Vec<String>> {
        let nodes = self.list(None)?;
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
        let nodes = self.list(cluster)?.into_iter().map(|node| Node {
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
        listed.map_err(Error::engine("failed to list images"))
    }

    /// A cluster's kubeconfig.
    ///
    /// # Errors
    /// [`Error::NoControlPlane`] if there is no such cluster.
    pub fn kubeconfig(&self, cluster: &str, endpoint: Endpoint) -> Result<String> {
        Ok(kubeconfig::encode(&self.entry(cluster, endpoint)?))
    }

    /// Puts a cluster's entry into the kubeconfig and makes it the current one.
    ///
    /// # Errors
    /// [`Error::NoControlPlane`] if there is no such cluster, [`Error::Kubeconfig`] if the file cannot
    /// be changed.
    pub fn export_kubeconfig(
        &self,
        cluster: &str,
        endpoint: Endpoint,
        files: &KubeconfigFiles,
        listener: Listener<'_>,
    ) -> Result<()> {
        kubeconfig::write_merged(files, &self.entry(cluster, endpoint)?)?;
        listener(Event::ContextSet {
            context: context_name(cluster),
        });
        Ok(())
    }

    /// Writes everything that a cluster's nodes can tell below `directory`; `version` is noted there.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`]; whatever could not be collected, after everything else was.
    pub fn collect_logs(&self, cluster: &str, directory: &Path, version: &str) -> Result<()> {
        let nodes = self.list(Some(cluster))?;
        if nodes.is_empty() {
            return Err(Error::NoSuchCluster(cluster.to_owned()));
        }
        std::fs::create_dir_all(directory).map_err(Error::io("failed to create", directory))?;
        let path = directory.join("kind-version.txt");
        std::fs::write(&path, version).map_err(Error::io("failed to write", &path))?;
        logs::collect(self.engine.as_ref(), &nodes, directory)
    }

    /// Makes a new directory for logs of a cluster.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn new_log_directory(&self, cluster: &str) -> Result<PathBuf> {
        logs::make_directory(&self.settings.temporary_dir, cluster)
    }

    /// Loads images into nodes. Of each image a node is sent only what it lacks.
    ///
    /// # Errors
    /// [`Error::NoNodes`], [`Error::UnknownNode`], [`Error::ImageNotPresent`], or whatever a node could
    /// not load.
    pub fn load_images(&self, options: LoadImages, listener: Listener<'_>) -> Result<()> {
        load::run(self, options, listener)
    }

    /// Builds a node image into the engine's store. What earlier builds made is used again as far as
    /// nothing that went into it has changed.
    ///
    /// # Errors
    /// [`Error::Build`]
    pub fn build_node_image(
        &self,
        options: &BuildNodeImage,
        listener: Listener<'_>,
    ) -> Result<BuiltNodeImage> {
        node_image::build(self, options, listener)
    }

    /// Publishes a node image of the engine's store at the registry that its name says, with the logins of
    /// docker's configuration. Returns the digest that it has there.
    ///
    /// # Errors
    /// [`Error::Push`], and [`Error::NotSupported`] for engines that push images themselves.
    pub fn push_node_image(
        &self,
        image: &str,
        cancel: &CancelToken,
        listener: Listener<'_>,
    ) -> Result<String> {
        publish::run(self, image, cancel, listener)
    }

    /// Removes what kind keeps to be faster the next time and no cluster uses.
    ///
    /// # Errors
    /// What could not be removed, after everything else was.
    pub fn prune(&self, options: &Prune, listener: Listener<'_>) -> Result<Vec<Pruned>> {
        prune::run(self, options, listener)
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        self.engine.as_ref()
    }

    pub(crate) fn shared_engine(&self) -> Arc<dyn Engine> {
        Arc::clone(&self.engine)
    }

    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.settings.environment
    }

    pub(crate) fn cache_dir(&self) -> &Path {
        &self.settings.cache_dir
    }

    pub(crate) fn temporary_dir(&self) -> &Path {
        &self.settings.temporary_dir
    }

    /// A docker that answers on a host whose nodes run on the native engine.
    pub(crate) fn docker_beside(&self) -> Option<Arc<dyn Engine>> {
        if self.engine_kind() != EngineKind::Native {
            return None;
        }
        let docker = choice::open(EngineChoice::Docker, self.settings.engine_parts()).ok()?;
        docker.info().is_ok().then_some(docker)
    }

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

    /// Whether the program for nodes is for the machine that they would run on.
    pub(crate) fn check_machine(&self, host: &Info) -> Result<()> {
        let own = self.settings.agent.as_ref().and_then(Agent::architecture);
        let theirs = host.architecture.as_str();
        match own {
            Some(own) if !theirs.is_empty() && own != theirs => Err(Error::Engine {
                action: format!("nodes cannot run on the machine of {}", self.engine_name()),
                source: Cause::new(
                    "KIND-ARCHITECTURE",
                    format!("it is {theirs}, and this kind brings a program for nodes of {own}"),
                )
                .with_remedy(Some(format!("use a kind that was built for {theirs}"))),
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
        choice::look(EngineChoice::Native, self.settings.engine_parts()).1
    }

    /// The kubeconfig entry of a cluster from kubeadm's file.
    pub(crate) fn entry_from(
        &self,
        cluster: &str,
        admin: &str,
        endpoint: Endpoint,
    ) -> Result<Document> {
        let server = match endpoint {
            Endpoint::Internal => None,
            Endpoint::External => Some(self.server(cluster)?),
        };
        kubeconfig::from_admin(admin, cluster, server.as_deref()).map_err(|error| {
            Error::Kubeconfig {
                action: "failed to read the cluster's kubeconfig".to_owned(),
                source: Cause::new("KIND-KUBECONFIG", error),
            }
        })
    }

    fn entry(&self, cluster: &str, endpoint: Endpoint) -> Result<Document> {
        let nodes = self.list(Some(cluster))?;
        let mut names: Vec<_> = nodes
            .iter()
            .filter(|node| NodeRole::of(node) == Some(NodeRole::ControlPlane))
            .collect();
        names.sort_by_key(|node| &node.name);
        let first = names
            .first()
            .ok_or_else(|| Error::NoControlPlane(cluster.to_owned()))?;
        let admin = node::read_file(self.engine(), &first.name, ADMIN_CONFIG)?;
        self.entry_from(cluster, &admin, endpoint)
    }

    /// URL of the API server as the host reaches it.
    fn server(&self, cluster: &str) -> Result<String> {
        let nodes = self.list(Some(cluster))?;
        let of_role = |role| {
            let nodes = nodes.iter();
            nodes.filter(move |node| NodeRole::of(node) == Some(role))
        };
        let balancer = of_role(NodeRole::LoadBalancer).next();
        let mut control_planes = of_role(NodeRole::ControlPlane);
        let node = match (balancer, control_planes.next(), control_planes.next()) {
            (Some(balancer), ..) => balancer,
            (None, Some(only), None) => only,
            (None, None, _) => return Err(Error::NoControlPlane(cluster.to_owned())),
            (None, Some(_), Some(_)) => {
                return Err(no_endpoint(of_role(NodeRole::ControlPlane).count()));
            }
        };
        // Docker Desktop tells where its own forwarding ends.
        let forwarded = node.labels.get(DESKTOP_PORT_LABEL);
        if let Some(address) = forwarded.filter(|address| !address.is_empty()) {
            return Ok(format!("https://{address}"));
        }
        let port = node
            .ports
            .iter()
            .find(|port| port.container == API_SERVER_PORT);
        let port = port.ok_or_else(|| no_endpoint(1))?;
        let address = std::net::SocketAddr::new(port.listen, port.host);
        Ok(format!("https://{address}"))
    }

    fn list(&self, cluster: Option<&str>) -> Result<Vec<kind_engine::Node>> {
        self.engine
            .list(cluster)
            .map_err(Error::engine("failed to list nodes"))
    }
}

fn no_endpoint(control_planes: usize) -> Error {
    let reason = format!(
        "expected one control plane node or a load balancer, not {control_planes} and none"
    );
    Error::Kubeconfig {
        action: "failed to get api server endpoint".to_owned(),
        source: Cause::new("KIND-ENDPOINT", reason),
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("engine", &self.engine.name())
            .finish_non_exhaustive()
    }
}
