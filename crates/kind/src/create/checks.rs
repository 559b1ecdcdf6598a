//! What is looked at before anything is made.

use std::path::PathBuf;

use kind_config::Cluster;
use kind_diagnosis::Severity;
use kind_engine::{Info, Limits};

use super::CreateCluster;
use super::etcd_data::check_etcd_data;
use crate::event::{Event, Listener, Warning};
use crate::host_paths::HostPaths;
use crate::plan::published_ports;
use crate::{Code, Error, Provider, Result, contents, doctor, kubeconfig};

/// Longer names make host names that some systems refuse.
const LONGEST_NAME: usize = 50;

/// Everything that can be known to be wrong before the first thing is made.
pub(super) fn check_surroundings(
    provider: &Provider,
    options: &CreateCluster,
    listener: Listener<'_>,
) -> Result<(Cluster, Info)> {
    let mut cluster = options.resolve();
    let engine = provider.engine();
    let info = engine.info().map_err(Error::engine(
        Code::HostCheck,
        format!("failed to get {} info", engine.name()),
    ))?;
    check_host(&info, listener)?;
    provider.check_machine(&info)?;
    if !provider.nodes(Some(&cluster.name))?.is_empty() {
        return Err(Error::ClusterExists(cluster.name));
    }
    check_cluster(options, &mut cluster, listener)?;
    // A cluster that exists has data of its own there.
    check_etcd_data(&cluster, &current_directory()?)?;
    for text in limit_warnings(&cluster, info.limits) {
        listener(Event::Warning(Warning::Engine(text)));
    }
    if let Some(text) = kubeconfig::check_files(&options.files)? {
        listener(Event::Warning(Warning::Host(text)));
    }
    let ports = published_ports(&cluster);
    let warnings = engine.preflight(cluster.nodes.len(), &ports);
    let warnings = warnings.map_err(Error::engine(Code::HostCheck, "failed to check the host"))?;
    for warning in warnings {
        listener(Event::Warning(Warning::Engine(warning)));
    }
    check_resources(provider, &info, &cluster, listener)?;
    Ok((cluster, info))
}

/// Whether the host has what nodes take. Limits that are too low are raised where that is allowed.
///
/// # Errors
/// If it has less than they take at least.
fn check_resources(
    provider: &Provider,
    info: &Info,
    cluster: &Cluster,
    listener: Listener<'_>,
) -> Result<()> {
    let prepared = doctor::prepare_host(provider, info, cluster);
    for text in prepared.raised {
        listener(Event::Warning(Warning::Host(text)));
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = prepared
        .problems
        .into_iter()
        .partition(|check| check.severity == Severity::Error);
    for check in warnings {
        let text = format!("{} ({})", check.found, check.remedy);
        listener(Event::Warning(Warning::Host(text)));
    }
    match errors.into_iter().next() {
        Some(check) => Err(Error::HostResources {
            found: check.found,
            remedy: check.remedy,
        }),
        None => Ok(()),
    }
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
    let directory = current_directory()?;
    contents::read_contents(cluster, &directory)?;
    let host_paths = HostPaths {
        directory: &directory,
        home: std::env::var_os("HOME").map(PathBuf::from),
    };
    let mut warnings = cluster.warnings();
    warnings.extend(options.patch_warnings(cluster));
    warnings.extend(host_paths.resolve(cluster));
    for warning in warnings {
        listener(Event::Warning(Warning::Config(warning)));
    }
    Ok(())
}

/// Limits of nodes that the engine's host cannot keep: engines leave them out without failing.
fn limit_warnings(cluster: &Cluster, limits: Limits) -> Vec<String> {
    let nodes = cluster.nodes.iter();
    let wanted: Vec<_> = nodes.map(|node| node.resources.limits()).collect();
    let cpus = !limits.cpu && wanted.iter().any(|node| node.millicpus.is_some());
    let memory = !limits.memory && wanted.iter().any(|node| node.memory_bytes.is_some());
    let fields = [("resources.cpus", cpus), ("resources.memory", memory)];
    let lost = fields.into_iter().filter(|(_, is_lost)| *is_lost);
    lost.map(|(field, _)| {
        format!("{field} has no effect: the engine's host has no cgroup controller for it")
    })
    .collect()
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

/// What relative paths of a configuration are relative to.
pub(super) fn current_directory() -> Result<PathBuf> {
    std::env::current_dir().map_err(|source| Error::Io {
        action: "failed to find the current directory",
        path: PathBuf::from("."),
        source,
    })
}

#[cfg(test)]
mod tests {
    use kind_config::Node;

    use super::*;

    fn info(rootless: bool, cgroup2: bool, limits: Limits) -> Info {
        Info {
            rootless,
            cgroup2,
            limits,
            ..Info::default()
        }
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
    fn limits_that_cannot_be_kept_are_told() {
        let mut node = Node::worker();
        node.resources.memory = "2Gi".to_owned();
        let cluster = Cluster::named("a").node(Node::control_plane()).node(node);
        let told = limit_warnings(&cluster, Limits::default());
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("resources.memory "), "{told:?}");
        assert_eq!(limit_warnings(&cluster, Limits::ALL), [] as [&str; 0]);
    }

    #[test]
    fn what_the_engine_warns_of_is_told() {
        let mut info = info(true, true, Limits::ALL);
        info.warnings.push("old".to_owned());
        let warnings = host_warnings(&info).unwrap();
        assert_eq!(warnings, [Warning::Engine("old".to_owned())]);
    }
}
