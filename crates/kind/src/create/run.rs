//! The order of a creation, and what happens before anything is made.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kind_config::Cluster;
use kind_engine::Info;

use super::attempt::Attempt;
use super::options::config_error;
use super::{CreateCluster, Created};
use crate::event::{Event, Listener, Warning};
use crate::kubeconfig::{self, context_name};
use crate::plan::{Plan, Surroundings};
use crate::{Endpoint, Error, Provider, Result};

/// Longer names make host names that some systems refuse.
const LONGEST_NAME: usize = 50;

/// Creates a cluster and makes it the user's current one.
pub(crate) fn run(
    provider: &Provider,
    options: &CreateCluster,
    listener: Listener<'_>,
) -> Result<Created> {
    let (cluster, host) = check(provider, options, listener)?;
    let name = cluster.name.clone();
    listener(Event::Creating {
        cluster: name.clone(),
    });
    let mut attempt = Attempt::new(provider, options, (cluster, host), listener);
    let admin = match attempt.run() {
        Ok(admin) => admin,
        Err(error) => return Err(attempt.abandon(error)),
    };
    // From here on the cluster is good; what fails now does not cost it.
    let entry = provider.entry_from(&name, &admin, Endpoint::External)?;
    kubeconfig::write_merged(&options.files, &entry)?;
    let context = context_name(&name);
    listener(Event::ContextSet {
        context: context.clone(),
    });
    Ok(Created { name, context })
}

/// The plan of a checked cluster, with the network's subnets as far as they are known.
pub(crate) fn make_plan(
    environment: &BTreeMap<String, String>,
    cluster: &Cluster,
    subnets: &[String],
    balancer_image: Option<&str>,
) -> Result<Plan> {
    let directory = std::env::current_dir().map_err(|source| Error::Io {
        action: "failed to find the current directory",
        path: PathBuf::from("."),
        source,
    })?;
    let surroundings = Surroundings {
        environment,
        directory: &directory,
        subnets,
        balancer_image,
    };
    Ok(Plan::new(cluster, surroundings))
}

/// Everything that can be known to be wrong before the first thing is made.
fn check(
    provider: &Provider,
    options: &CreateCluster,
    listener: Listener<'_>,
) -> Result<(Cluster, Info)> {
    let cluster = options.resolve();
    let engine = provider.engine();
    let info = engine.info().map_err(Error::engine(format!(
        "failed to get {} info",
        engine.name()
    )))?;
    check_host(&info, listener)?;
    if !provider.nodes(Some(&cluster.name))?.is_empty() {
        return Err(Error::ClusterExists(cluster.name));
    }
    check_cluster(&cluster, listener)?;
    if cluster.load_balancer().is_some() {
        let what = "a cluster of several control planes";
        return Err(Error::NotSupported(what.to_owned()));
    }
    Ok((cluster, info))
}

/// Whether nodes can run on a host like this at all.
pub(crate) fn check_host(info: &Info, listener: Listener<'_>) -> Result<()> {
    match (info.rootless, info.cgroup2) {
        (true, false) => return Err(rootless_needs_cgroup2()),
        (false, false) => listener(Event::Warning(Warning::CgroupV1)),
        _ => {}
    }
    Ok(())
}

/// Whether the configuration, with everything that overrides it, is one.
pub(crate) fn check_cluster(cluster: &Cluster, listener: Listener<'_>) -> Result<()> {
    if cluster.name.len() > LONGEST_NAME {
        listener(Event::Warning(Warning::LongName(cluster.name.clone())));
    }
    cluster.validate().map_err(config_error)?;
    for warning in cluster.warnings() {
        listener(Event::Warning(Warning::Config(warning)));
    }
    Ok(())
}

fn rootless_needs_cgroup2() -> Error {
    Error::EngineUnavailable {
        engine: "rootless".to_owned(),
        reason: "running kind with rootless provider requires cgroup v2, \
                 see https://kind.sigs.k8s.io/docs/user/rootless/"
            .to_owned(),
    }
}
