//! Looking at a host before anything is made, and at a cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kind_config::{Cluster, Role};
use kind_engine::Info;

use super::cluster::{CLUSTER_CHECKS, Patient, run_within};
use super::entry::{Entry, ignore_late, run_entries, tell_late};
use super::examination::{CheckDescription, Examination, Examined};
use super::host::{Answer, Engines, FIRST, HOST_CHECKS, Host, Planned, judge_engine};
use super::outcome::{Outcome, Problem};
use super::raise::{Prepared, raise_limits};
use crate::engines::find_engine;
use crate::{EngineChoice, Error, KubeconfigFiles, Provider, ProviderBuilder, Result};

/// Who has not answered by then is told to hang.
const EXAMINATION_TIMEOUT: Duration = Duration::from_millis(1700);
/// Checks that wait for nodes must end before they are left alone.
const ANSWER_MARGIN: Duration = Duration::from_millis(100);
/// What a creation can wait for checks on a busy host; elsewhere they take milliseconds.
const FIRST_TIMEOUT: Duration = Duration::from_millis(500);

/// What to look at beside a host or a cluster.
#[derive(Debug, Clone, Default)]
pub struct Examine {
    kubeconfigs: Option<KubeconfigFiles>,
}

impl Examine {
    /// Nothing beside it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The user's kubeconfigs, where it is known which they are.
    pub fn kubeconfigs(mut self, files: Option<KubeconfigFiles>) -> Self {
        self.kubeconfigs = files;
        self
    }
}

/// The checks that are made of a host, in their order.
pub fn host_checks() -> Vec<CheckDescription> {
    HOST_CHECKS.iter().map(Entry::describe).collect()
}

/// The checks that are made of a cluster, in their order.
pub fn cluster_checks() -> Vec<CheckDescription> {
    CLUSTER_CHECKS.iter().map(Entry::describe).collect()
}

impl ProviderBuilder {
    /// Looks at everything on this host that may be in the way of a cluster, all at once and for less than two
    /// seconds, whatever hangs. Changes nothing; no engine is needed.
    pub fn examine_host(&self, options: &Examine) -> Examination {
        let (settings, kubeconfigs) = (self.clone(), options.kubeconfigs.clone());
        let host = Host::current(settings, kubeconfigs, Planned::ONE_NODE);
        Examination {
            examined: run_entries(HOST_CHECKS, &Arc::new(host), EXAMINATION_TIMEOUT, tell_late),
        }
    }
}

impl ProviderBuilder {
    /// Looks at everything of a cluster that may be in its way, in all nodes at once and for less than two seconds,
    /// whatever hangs. Changes nothing.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`], or the engine's failure to list nodes.
    pub fn examine_cluster(&self, name: &str, options: &Examine) -> Result<Examination> {
        let deadline = Instant::now() + EXAMINATION_TIMEOUT;
        let host = Host::current(self.clone(), None, Planned::ONE_NODE);
        let engines = host.engines();
        let answers = matches!(engines.used().answer, Answer::Answers(_));
        let examine_engine = || Ok(of_engine(judge_engine(engines, host.is_root())));
        // What keeps native nodes from being made does not keep them from being looked at.
        if !answers && !engines.used().is_native() {
            return examine_engine();
        }
        let choice = EngineChoice::named(engines.used().name).unwrap_or_default();
        let Some(engine) = find_engine(choice, self.engine_parts()).1 else {
            if !answers {
                return examine_engine();
            }
            return Err(Error::NoSuchCluster(name.to_owned()));
        };
        let provider = Provider::on(engine, self.clone());
        examine_nodes(provider, name, options.kubeconfigs.clone(), deadline)
    }
}

/// Looks at a cluster on an engine that answers.
pub(super) fn examine_nodes(
    provider: Provider,
    name: &str,
    kubeconfigs: Option<KubeconfigFiles>,
    deadline: Instant,
) -> Result<Examination> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let cluster = name.to_owned();
    let listed = run_within(left(), move || {
        let nodes = provider.list_nodes(Some(&cluster));
        nodes.map(|nodes| (provider, nodes))
    });
    let Some(listed) = listed else {
        return Ok(of_engine(late_list()));
    };
    let (provider, nodes) = listed?;
    if nodes.is_empty() {
        return Err(Error::NoSuchCluster(name.to_owned()));
    }
    let answers_until = deadline - ANSWER_MARGIN;
    let patient = Patient::new(name, provider, nodes, kubeconfigs, answers_until);
    Ok(Examination {
        examined: run_entries(CLUSTER_CHECKS, &Arc::new(patient), left(), tell_late),
    })
}

/// An examination that ends with the engine.
fn of_engine(outcome: Outcome) -> Examination {
    let entry = &HOST_CHECKS[0];
    Examination {
        examined: vec![Examined::new(entry.id, entry.title, outcome)],
    }
}

fn late_list() -> Outcome {
    Problem::error(
        "the engine does not list nodes in time",
        "an answer within a second",
        "see whether the engine hangs: start it anew, or choose another with `--provider`",
    )
    .into()
}

/// What is in the way of nodes that are about to be made, as far as that can be told at once, and limits that were
/// raised for them.
pub(crate) fn prepare_host(provider: &Provider, info: &Info, cluster: &Cluster) -> Prepared {
    let count = |role| {
        cluster
            .nodes
            .iter()
            .filter(|node| node.role == role)
            .count() as u64
    };
    let planned = Planned {
        control_planes: count(Role::ControlPlane),
        workers: count(Role::Worker),
    };
    let engines = Engines::opened(provider.engine_name(), info);
    let host = Host::current(provider.settings().clone(), None, planned).with_engines(engines);
    let host = Arc::new(host);
    let examine = || {
        let first = HOST_CHECKS.iter().filter(|entry| FIRST.contains(&entry.id));
        run_entries(first, &host, FIRST_TIMEOUT, ignore_late)
    };
    raise_limits(&examine, Path::new("/proc/sys"))
}
