//! The order of a creation, and what happens before anything is made.

use std::collections::BTreeMap;

use kind_config::Cluster;
use kind_engine::{Info, Network};
use kind_kubeadm::BootstrapToken;
use kind_secret::{note_document, note_variable};

use super::checks::{check_surroundings, current_directory};
use super::coordinator::Coordinator;
use super::documents::make_documents;
use super::drive::{Driven, drive_bootstrap};
use super::event_log::EventLog;
use super::options::use_image;
use super::phases::Phases;
use super::prerequisites::{build_image, ensure_images, ensure_network};
use super::provision::provision_nodes;
use super::start::start_nodes;
use super::{CreateCluster, Created};
use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::event::{Event, Listener, Phase, Warning};
use crate::kubeconfig::{self, context_name};
use crate::leftover::Leftover;
use crate::plan::{Plan, Surroundings};
use crate::proxies::{ProxiesOfNodes, proxies_of_nodes};
use crate::{CancelToken, Endpoint, Error, Provider, Result, error_chain};

impl Provider {
    /// Creates a cluster and makes it the current one of the kubeconfig.
    ///
    /// # Errors
    /// Any; nothing of the cluster is left then unless [`CreateCluster::retain`] asks for it. Only with
    /// [`Error::ClusterStays`] the cluster is there.
    pub fn create(&self, options: &CreateCluster, listener: Listener<'_>) -> Result<Created> {
        run_stages(self, options, listener)
    }
}

/// Creates a cluster and makes it the user's current one.
fn run_stages(
    provider: &Provider,
    options: &CreateCluster,
    listener: Listener<'_>,
) -> Result<Created> {
    let log = EventLog::begin_log(listener);
    let listener: Listener<'_> = &|event| log.record_event(event);
    let (cluster, host) = look_around(provider, options, listener)?;
    let name = cluster.name.clone();
    let first = cluster.bootstrap_node();
    let brings_network = cluster.networking.disable_default_cni;
    listener(Event::Creating {
        cluster: name.clone(),
    });
    let _noted = options.cancel.note_leftover(Leftover::Nodes {
        cluster: name.clone(),
    });
    let coordinator = Coordinator::new(provider, options, &name, &host);
    let mut phases = Phases::new(listener);
    let Driven { admin, not_ready } =
        match create_cluster(&coordinator, options, cluster, &mut phases) {
            Ok(driven) => driven,
            Err(error) => {
                let error = coordinator.clean_up_after(options.with_location(error), &mut phases);
                let kept = error.evidence().map(|directory| log.write_to(directory));
                note_failure(kept.unwrap_or(Ok(())));
                return Err(error);
            }
        };
    // From here on the cluster is good; what fails now does not cost it.
    let stays = |error| Error::ClusterStays {
        cluster: name.clone(),
        source: Box::new(error),
    };
    let entry = provider.entry_from(&name, &admin, Endpoint::External);
    let written = entry
        .and_then(|entry| kubeconfig::write_merged(&options.files, &entry, &CancelToken::new()));
    written.map_err(stays)?;
    let context = context_name(&name);
    listener(Event::ContextSet {
        context: context.clone(),
    });
    let kept = first.map(|node| log.copy_to_node(provider.engine(), &node));
    note_failure(kept.unwrap_or(Ok(())));
    match not_ready {
        // Nothing is ready before the user's network is there.
        Some(found) if !brings_network => Err(stays(found.into_error())),
        _ => Ok(Created { name, context }),
    }
}

/// Looks at everything that can be known beforehand. Nothing is made yet, so that an engine that hangs can be left alone.
fn look_around(
    provider: &Provider,
    options: &CreateCluster,
    listener: Listener<'_>,
) -> Result<(Cluster, Info)> {
    let (provider, wanted) = (provider.share(), options.clone());
    let look = move |tell: Listener<'_>| check_surroundings(&provider, &wanted, tell);
    run_abandonable(look, SHORT_GRACE, &options.cancel, listener)?
}

/// Makes the cluster, stage by stage.
fn create_cluster(
    coordinator: &Coordinator<'_>,
    options: &CreateCluster,
    cluster: Cluster,
    phases: &mut Phases<'_>,
) -> Result<Driven> {
    let plan = plan_cluster(coordinator, options, cluster, phases)?;
    let provisioned = provision_nodes(coordinator, &plan, phases)?;
    let token = BootstrapToken::random().map_err(Error::document)?;
    let documents = make_documents(&plan, &provisioned, token, coordinator.cancel)?;
    let started = start_nodes(coordinator, &plan, &documents, phases)?;
    drive_bootstrap(coordinator, started, phases)
}

/// Plans a checked cluster once its images and its network are there. Nothing after it sees the configuration.
fn plan_cluster(
    coordinator: &Coordinator<'_>,
    options: &CreateCluster,
    mut cluster: Cluster,
    phases: &mut Phases<'_>,
) -> Result<Plan> {
    if let Some(image) = build_image(coordinator, options, phases)? {
        use_image(&mut cluster, &image);
    }
    ensure_images(coordinator, &cluster, phases)?;
    let count = cluster.nodes.len();
    phases.begin_phase(Phase::PrepareNodes { count });
    let network = ensure_network(coordinator, &cluster, phases)?;
    let ProxiesOfNodes {
        environment,
        warnings,
    } = proxies_of_nodes(
        coordinator.provider.environment(),
        &cluster.networking,
        &network,
        Some(coordinator.engine()),
        coordinator.host,
    );
    for text in warnings {
        phases.send_event(Event::Warning(Warning::Host(text)));
    }
    let plan = make_plan(&cluster, &environment, &network)?;
    note_secrets(&cluster, &plan);
    Ok(plan)
}

/// What is secret of what the user gives to nodes: in their environment, and in patches.
fn note_secrets(cluster: &Cluster, plan: &Plan) {
    for (name, value) in plan.nodes.iter().flat_map(|node| &node.env) {
        note_variable(name, value);
    }
    let of_nodes = cluster.nodes.iter();
    let of_nodes = of_nodes.flat_map(|node| &node.kubeadm_config_patches);
    let patches = cluster.kubeadm_config_patches.iter().chain(of_nodes);
    let patches = patches.chain(&cluster.containerd_config_patches);
    patches.for_each(|patch| note_document(patch));
    let mirrors = cluster.registries.iter();
    let mirrors = mirrors.flat_map(|registry| &registry.mirrors);
    mirrors.for_each(|mirror| note_document(&mirror.url));
}

/// A log that cannot be kept costs nobody a cluster.
fn note_failure(kept: Result<()>) {
    if let Err(error) = kept {
        tracing::debug!(error = error_chain(&error), "the creation's events");
    }
}

/// Plans a checked cluster on a network, in an environment of the host's.
pub(crate) fn make_plan(
    cluster: &Cluster,
    environment: &BTreeMap<String, String>,
    network: &Network,
) -> Result<Plan> {
    let directory = current_directory()?;
    let surroundings = Surroundings {
        network,
        environment,
        directory: &directory,
    };
    Plan::new(cluster, surroundings).map_err(Error::document)
}
