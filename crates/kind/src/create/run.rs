//! The order of a creation, and what happens before anything is made.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kind_config::Cluster;
use kind_engine::{Info, Network};

use super::coordinator::Coordinator;
use super::documents::{document_error, make_documents};
use super::drive::drive_bootstrap;
use super::options::use_image;
use super::phases::Phases;
use super::prerequisites::{build_image, ensure_images, ensure_network};
use super::provision::provision;
use super::start::start;
use super::story::Story;
use super::{CreateCluster, Created};
use crate::contents;
use crate::event::{Event, Listener, Phase, Warning};
use crate::kubeconfig::{self, context_name};
use crate::plan::{Plan, Surroundings, published_ports, with_client_settings};
use crate::{Endpoint, Error, Provider, Result, error_chain};

/// Longer names make host names that some systems refuse.
const LONGEST_NAME: usize = 50;

/// Creates a cluster and makes it the user's current one.
pub(crate) fn run(
    provider: &Provider,
    options: &CreateCluster,
    listener: Listener<'_>,
) -> Result<Created> {
    let story = Story::begin(listener);
    let listener: Listener<'_> = &|event| story.hear(event);
    let (cluster, host) = check(provider, options, listener)?;
    let name = cluster.name.clone();
    let first = cluster.bootstrap_node();
    listener(Event::Creating {
        cluster: name.clone(),
    });
    let coordinator = Coordinator::new(provider, options, &name, &host);
    let mut phases = Phases::new(listener);
    let admin = match create(&coordinator, options, cluster, &mut phases) {
        Ok(admin) => admin,
        Err(error) => {
            let error = coordinator.fail(options.located(error), &mut phases);
            let kept = error.evidence().map(|directory| story.write(directory));
            note(kept.unwrap_or(Ok(())));
            return Err(error);
        }
    };
    // From here on the cluster is good; what fails now does not cost it.
    let entry = provider.entry_from(&name, &admin, Endpoint::External)?;
    kubeconfig::write_merged(&options.files, &entry)?;
    let context = context_name(&name);
    listener(Event::ContextSet {
        context: context.clone(),
    });
    let kept = first.map(|node| story.keep(provider.engine(), &node));
    note(kept.unwrap_or(Ok(())));
    Ok(Created { name, context })
}

/// Makes the cluster, stage by stage. Returns the administrator's kubeconfig as kubeadm wrote it.
fn create(
    coordinator: &Coordinator<'_>,
    options: &CreateCluster,
    cluster: Cluster,
    phases: &mut Phases<'_>,
) -> Result<String> {
    let plan = plan_cluster(coordinator, options, cluster, phases)?;
    let provisioned = provision(coordinator, &plan, phases)?;
    let documents = make_documents(&plan, &provisioned, coordinator.cancel)?;
    let started = start(coordinator, &plan, &documents, phases)?;
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
    phases.begin(Phase::PrepareNodes { count });
    let wants_ipv6 = cluster.networking.ip_family.has_ipv6();
    let network = ensure_network(coordinator, wants_ipv6, phases)?;
    let environment = coordinator.provider.environment();
    let environment = with_client_settings(coordinator.engine(), environment);
    make_plan(&cluster, &environment, &network)
}

/// A story that cannot be kept costs nobody a cluster.
fn note(kept: Result<()>) {
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
    Plan::new(cluster, surroundings).map_err(document_error)
}

/// What relative paths of a configuration are relative to.
fn current_directory() -> Result<PathBuf> {
    std::env::current_dir().map_err(|source| Error::Io {
        action: "failed to find the current directory",
        path: PathBuf::from("."),
        source,
    })
}

/// Everything that can be known to be wrong before the first thing is made.
fn check(
    provider: &Provider,
    options: &CreateCluster,
    listener: Listener<'_>,
) -> Result<(Cluster, Info)> {
    let mut cluster = options.resolve();
    let engine = provider.engine();
    let info = engine.info().map_err(Error::engine(format!(
        "failed to get {} info",
        engine.name()
    )))?;
    check_host(&info, listener)?;
    provider.check_machine(&info)?;
    if !provider.nodes(Some(&cluster.name))?.is_empty() {
        return Err(Error::ClusterExists(cluster.name));
    }
    check_cluster(options, &mut cluster, listener)?;
    kubeconfig::check(&options.files)?;
    let ports = published_ports(&cluster);
    let warnings = engine.preflight(cluster.nodes.len(), &ports);
    let warnings = warnings.map_err(Error::engine("failed to check the host"))?;
    for warning in warnings {
        listener(Event::Warning(Warning::Engine(warning)));
    }
    Ok((cluster, info))
}

/// Whether nodes can run on a host like this at all.
pub(crate) fn check_host(info: &Info, listener: Listener<'_>) -> Result<()> {
    for warning in host_warnings(info)? {
        listener(Event::Warning(warning));
    }
    Ok(())
}

/// Whether the configuration, with everything that overrides it, is one. Brings in what it has in files
/// of the host.
pub(crate) fn check_cluster(
    options: &CreateCluster,
    cluster: &mut Cluster,
    listener: Listener<'_>,
) -> Result<()> {
    if cluster.name.len() > LONGEST_NAME {
        listener(Event::Warning(Warning::LongName(cluster.name.clone())));
    }
    options.check(cluster)?;
    contents::read(cluster, &current_directory()?)?;
    for warning in cluster.warnings() {
        listener(Event::Warning(Warning::Config(warning)));
    }
    Ok(())
}

/// What the user should know of the engine's host.
///
/// # Errors
/// If nodes cannot run there at all: a rootless engine needs cgroup v2 and every controller that limits nodes.
fn host_warnings(info: &Info) -> Result<Vec<Warning>> {
    let mut warnings: Vec<_> = info.warnings.iter().cloned().map(Warning::Engine).collect();
    if info.rootless && !info.cgroup2 {
        return Err(Error::Rootless {
            requirement: "cgroup v2",
            remedy: "start the host's kernel with `systemd.unified_cgroup_hierarchy=1`",
        });
    }
    if info.rootless && !info.limits.are_complete() {
        return Err(Error::Rootless {
            requirement: "setting systemd property \"Delegate=yes\"",
            remedy: kind_engine::DELEGATE,
        });
    }
    if !info.cgroup2 {
        warnings.push(Warning::CgroupV1);
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use kind_engine::Limits;

    use super::*;

    fn info(rootless: bool, cgroup2: bool, limits: Limits) -> Info {
        let mut info = Info::default();
        (info.rootless, info.cgroup2, info.limits) = (rootless, cgroup2, limits);
        info
    }

    #[test]
    fn rootless_engines_must_be_able_to_limit() {
        let told = |rootless, cgroup2, limits| {
            host_warnings(&info(rootless, cgroup2, limits)).map_err(|error| error.to_string())
        };
        let docs = "see https://kind.sigs.k8s.io/docs/user/rootless/";
        assert_eq!(
            told(true, false, Limits::ALL).unwrap_err(),
            format!("running kind with rootless provider requires cgroup v2, {docs}")
        );
        assert_eq!(
            told(true, true, Limits::default()).unwrap_err(),
            format!(
                "running kind with rootless provider requires setting systemd property \
                 \"Delegate=yes\", {docs}"
            )
        );
        assert_eq!(told(true, true, Limits::ALL).unwrap(), []);
        assert_eq!(told(false, true, Limits::default()).unwrap(), []);
        assert_eq!(
            told(false, false, Limits::ALL).unwrap(),
            [Warning::CgroupV1]
        );
    }

    #[test]
    fn what_the_engine_warns_of_is_told() {
        let mut info = info(true, true, Limits::ALL);
        info.warnings.push("old".to_owned());
        let warnings = host_warnings(&info).unwrap();
        assert_eq!(warnings, [Warning::Engine("old".to_owned())]);
    }
}
