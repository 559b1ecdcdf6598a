//! One attempt to make a cluster, which knows what it has made so far.

use kind_config::Cluster;
use kind_engine::{Info, Network, NetworkSpec};
use kind_image::ProgressSink;

use super::CreateCluster;
use super::phases::Phases;
use super::run::make_plan;
use crate::error::Cause;
use crate::event::{Event, Listener, Phase, Warning};
use crate::plan::with_client_settings;
use crate::{BuildNodeImage, Error, Provider, Result, access, network, transfer};

/// An attempt to make a cluster.
pub(super) struct Attempt<'a> {
    pub(super) provider: &'a Provider,
    pub(super) options: &'a CreateCluster,
    /// Name of the cluster.
    pub(super) cluster: String,
    pub(super) host: Info,
    pub(super) phases: Phases<'a>,
    listener: Listener<'a>,
    /// Nodes that exist because of this attempt.
    pub(super) made: Vec<String>,
    /// They were started.
    pub(super) booted: bool,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        provider: &'a Provider,
        options: &'a CreateCluster,
        cluster: &str,
        host: Info,
        listener: Listener<'a>,
    ) -> Self {
        Self {
            provider,
            options,
            cluster: cluster.to_owned(),
            host,
            phases: Phases::new(listener),
            listener,
            made: Vec::new(),
            booted: false,
        }
    }

    /// Makes everything, and returns the administrator's kubeconfig as kubeadm wrote it.
    pub(super) fn run(&mut self, mut cluster: Cluster) -> Result<String> {
        self.build_image(&mut cluster)?;
        self.ensure_images(&cluster)?;
        let count = cluster.nodes.len();
        self.phases.begin(Phase::PrepareNodes { count });
        let network = self.ensure_network(&cluster)?;
        let engine = self.provider.engine();
        let environment = with_client_settings(engine, self.provider.environment());
        let outside = (&environment, network.name.as_str());
        let plan = make_plan(&cluster, outside, &network.subnets)?;
        drop(cluster);
        self.create_nodes(&plan, &network)?;
        if !network.lasting_addresses {
            // Their addresses stand in their documents, and they have none before they run.
            self.boot(&plan)?;
        }
        self.configure_balancer(&plan)?;
        self.phases.begin(Phase::WriteConfiguration);
        let (way, known) = self.write_configuration(&plan)?;
        self.start(&plan, &way, &known)
    }

    /// Ends here if the caller asked to.
    pub(super) fn check(&self) -> Result<()> {
        self.options.cancel.check()
    }

    /// Makes the image that the caller wants built, and uses it for every node.
    fn build_image(&self, cluster: &mut Cluster) -> Result<()> {
        let Some(source) = &self.options.from else {
            return Ok(());
        };
        let image = self.options.built_image(source);
        if !access::is_root() && self.has_image(&image)? {
            // Only root can build it anew; what root has built before will do.
            let text = format!("Image: {image} is here already; only root can build it anew");
            self.phases.detail(0, text);
            use_image(cluster, &image);
            return Ok(());
        }
        let build = BuildNodeImage::new(source.clone(), image).cancel(self.options.cancel.clone());
        let built = self.provider.build_node_image(&build, self.listener)?;
        use_image(cluster, &built.image);
        self.check()
    }

    fn has_image(&self, image: &str) -> Result<bool> {
        let found = self.provider.engine().image(image);
        let found = found.map_err(Error::engine("failed to look for the node image"))?;
        Ok(found.is_some())
    }

    fn ensure_images(&mut self, cluster: &Cluster) -> Result<()> {
        let nodes = cluster.nodes.iter();
        let mut images: Vec<_> = nodes.map(|node| node.image.as_str()).collect();
        images.sort_unstable();
        images.dedup();
        for image in images {
            let friendly = kind_image::friendly(image).to_owned();
            self.phases.begin(Phase::EnsureImage { image: friendly });
            self.ensure_image(image)?;
            self.check()?;
        }
        Ok(())
    }

    fn ensure_image(&self, image: &str) -> Result<()> {
        let engine = self.provider.shared_engine();
        let failed = |error| Error::Image {
            image: image.to_owned(),
            source: Cause::from_engine(error),
        };
        if engine.image(image).map_err(failed)?.is_some() {
            self.phases
                .detail(1, format!("Image: {image} present locally"));
            return Ok(());
        }
        self.phases.detail(1, format!("Pulling image: {image} ..."));
        let name = image.to_owned();
        let pull = move |progress: ProgressSink<'_>| engine.pull(&name, progress);
        let pulled = transfer::run(pull, &self.options.cancel, self.listener)?;
        pulled.map_err(failed)
    }

    fn ensure_network(&self, cluster: &Cluster) -> Result<Network> {
        let engine = self.provider.engine();
        let (name, variable) = network::name(engine.name(), self.provider.environment());
        if let Some(variable) = variable {
            self.phases.tell(Event::Warning(Warning::NetworkOverridden {
                engine: engine.name(),
                variable,
            }));
        }
        let mut spec = NetworkSpec::default();
        name.clone_into(&mut spec.name);
        let action = format!("failed to ensure {} network", engine.name());
        let ensured = engine.ensure_network(&spec);
        let network = ensured.map_err(Error::engine(action.as_str()))?;
        let has_ipv6 = network.subnets.iter().any(|subnet| subnet.contains(':'));
        match cluster.networking.ip_family.has_ipv6() && !has_ipv6 {
            true => Err(without_ipv6(action, &network)),
            false => Ok(network),
        }
    }
}

/// Has every node be of one image.
fn use_image(cluster: &mut Cluster, image: &str) {
    for node in &mut cluster.nodes {
        image.clone_into(&mut node.image);
    }
}

/// The network is of another program, or the engine can do no IPv6.
fn without_ipv6(action: String, network: &Network) -> Error {
    let name = &network.name;
    let reason = format!("network {name:?} has no IPv6 subnet, and the cluster wants IPv6");
    let remedy = format!(
        "delete the clusters on it and remove it, so that it is made anew with IPv6 \
         (`docker network rm {name}`); if that changes nothing, let the engine and its host have IPv6"
    );
    Error::Engine {
        action,
        source: Cause::new("KIND-NETWORK-IPV6", reason).with_remedy(Some(remedy)),
    }
}
