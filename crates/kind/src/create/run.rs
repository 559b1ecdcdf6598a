//! The order of a creation, and what happens before anything is made.

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

/// Plans a cluster without making anything.
pub(crate) fn plan(provider: &Provider, options: &CreateCluster) -> Result<Plan> {
    let cluster = options.resolve();
    cluster.validate().map_err(config_error)?;
    make_plan(provider, &cluster, &[])
}

/// The plan of a checked cluster, with the network's subnets as far as they are known.
pub(super) fn make_plan(
    provider: &Provider,
    cluster: &Cluster,
    subnets: &[String],
) -> Result<Plan> {
    let directory = std::env::current_dir().map_err(|source| Error::Io {
        action: "failed to find the current directory",
        path: PathBuf::from("."),
        source,
    })?;
    let surroundings = Surroundings {
        environment: provider.environment(),
        directory: &directory,
        subnets,
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
    match (info.rootless, info.cgroup2) {
        (true, false) => return Err(rootless_needs_cgroup2()),
        (false, false) => listener(Event::Warning(Warning::CgroupV1)),
        _ => {}
    }
    if !provider.nodes(Some(&cluster.name))?.is_empty() {
        return Err(Error::ClusterExists(cluster.name));
    }
    if cluster.name.len() > LONGEST_NAME {
        listener(Event::Warning(Warning::LongName(cluster.name.clone())));
    }
    cluster.validate().map_err(config_error)?;
    for warning in cluster.warnings() {
        listener(Event::Warning(Warning::Config(warning)));
    }
    if cluster.load_balancer().is_some() {
        let what = "a cluster of several control planes";
        return Err(Error::NotSupported(what.to_owned()));
    }
    Ok((cluster, info))
}

fn rootless_needs_cgroup2() -> Error {
    Error::EngineUnavailable {
        engine: "rootless".to_owned(),
        reason: "running kind with rootless provider requires cgroup v2, \
                 see https://kind.sigs.k8s.io/docs/user/rootless/"
            .to_owned(),
    }
}
