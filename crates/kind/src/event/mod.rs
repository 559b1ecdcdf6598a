//! What a running operation reports.

mod record;
mod time;

use std::fmt;
use std::time::Duration;

use kind_image::Progress;
pub use kind_node::request::{KubeadmPhase, StepId};
use serde::Serialize;

pub use record::{EventRecord, StepRecord};
pub use time::timestamp;

/// Receives events while an operation runs; may be called from several threads.
pub type Listener<'a> = &'a (dyn Fn(Event) + Sync);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The configuration is right and work on a cluster begins.
    Creating {
        /// The cluster.
        cluster: String,
    },
    /// A phase began. It ends with [`Event::PhaseEnded`] before the next one begins.
    PhaseStarted(Phase),
    /// A phase ended.
    PhaseEnded {
        /// The phase.
        phase: Phase,
        /// Whether it did what it is for.
        outcome: Outcome,
    },
    /// Something happened in the running phase; changes often.
    Note {
        /// What, in a few words.
        text: String,
    },
    /// Bytes moved: of a pull, a load or a build. Comes often, and also while no phase runs.
    Progress(Progress),
    /// The control plane became ready after the wait of [`Phase::WaitReady`].
    Ready {
        /// Time of the wait.
        after: Duration,
    },
    /// The control plane did not become ready in time; the cluster stays.
    NotReady,
    /// The user's kubeconfig names the cluster now.
    ContextSet {
        /// Name of the context.
        context: String,
    },
    /// Nodes were removed.
    NodesDeleted {
        /// Their names.
        nodes: Vec<String>,
    },
    /// Something that does not stop the work but that the user should know.
    Warning(Warning),
    /// A step in a node has ended well: a detail of level 1.
    StepEnded(StepEnded),
    /// A detail for a user who asked for details.
    Detail {
        /// From which verbosity on it is shown: 1, 2, 3 or 5.
        level: i32,
        /// The text.
        text: String,
    },
}

/// A step in a node that has ended well. Printing it says how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepEnded {
    /// The node.
    pub node: String,
    /// What the step is for.
    pub id: StepId,
    /// What people read of it.
    pub title: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

impl StepEnded {
    /// From which verbosity on it is shown.
    pub const LEVEL: i32 = 1;
}

impl fmt::Display for StepEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node, title, ms, ..
        } = self;
        write!(f, "{node}: {title} took {ms} ms")
    }
}

/// A step in a node that takes long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The node.
    pub node: String,
    /// What people read of the step.
    pub title: String,
    /// For how long it has run.
    pub seconds: u64,
    /// What may be in the way, in one line.
    pub cause: Option<String>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node,
            title,
            seconds,
            cause,
        } = self;
        write!(f, "{node}: {title} has taken {seconds}s so far")?;
        match cause {
            Some(cause) => write!(f, "; {cause}"),
            None => Ok(()),
        }
    }
}

/// How a phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    // As the published schema calls it.
    schemars(rename = "OutcomeRecord")
)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it is for.
    Done,
    /// It failed, or was interrupted.
    Failed,
}

/// A part of an operation, in the words of the user. As JSON it is one object with the phase's name and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "phase", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Phase {
    /// A step of building a node image that has to be done.
    BuildStep {
        /// The step in words.
        title: String,
    },
    /// Looking for a node image, and bringing it if it is missing.
    EnsureImage {
        /// Its name without a digest.
        image: String,
    },
    /// Making the nodes.
    PrepareNodes {
        /// How many, without the load balancer.
        count: usize,
    },
    /// Making the load balancer work.
    LoadBalancer,
    /// Putting files into the nodes.
    WriteConfiguration,
    /// Booting the first control plane and Kubernetes on it.
    StartControlPlane,
    /// Pod network.
    InstallCni,
    /// Default storage.
    InstallStorage,
    /// Joining the other control planes.
    JoinControlPlanes,
    /// Joining the workers.
    JoinWorkers,
    /// Waiting for the control plane.
    WaitReady {
        /// Milliseconds at most.
        #[serde(rename = "limitMs", serialize_with = "record::serialize_millis")]
        #[cfg_attr(feature = "schema", schemars(with = "u64"))]
        limit: Duration,
    },
}

/// Something that the user should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The cluster's name makes host names that are too long for some systems.
    #[error(
        "cluster name {0:?} is probably too long, this might not work properly on some systems"
    )]
    LongName(String),
    /// Of a dry run: the cluster exists.
    #[error("node(s) already exist for a cluster with the name {0:?}; creating it would fail")]
    Exists(String),
    /// The host has no unified cgroup hierarchy.
    #[error(
        "cgroup v1 is deprecated in Kubernetes and will not be supported in a future kind release, \
         please upgrade to cgroup v2"
    )]
    CgroupV1,
    /// The engine's host lacks something, or is too old to tell.
    #[error("{0}")]
    Engine(String),
    /// The host may have too little for the nodes.
    #[error("{0}")]
    Host(String),
    /// A node image cannot do all that its Kubernetes can.
    #[error("{0}")]
    Image(String),
    /// A step takes long, and something that may heal is in its way.
    #[error("{0}")]
    Waiting(Waiting),
    /// What keeps a cluster that was made from being ready, and what mends it.
    #[error("{0}")]
    InTheWay(String),
    /// Nodes go on another network than kind's own.
    #[error(
        "WARNING: Overriding {engine} network due to {variable}\n\
         WARNING: Here be dragons! This is not supported currently."
    )]
    NetworkOverridden {
        /// The engine.
        engine: &'static str,
        /// The variable that says so.
        variable: &'static str,
    },
    /// The image has no storage manifest.
    #[error("Could not read storage manifest, falling back on old k8s.io/host-path default ...")]
    NoStorageManifest,
    /// Something in the configuration that works but is probably not what was meant.
    #[error("{0}")]
    Config(String),
    /// Clean-up after a failure failed too.
    #[error("failed to clean up: {0}")]
    CleanUp(String),
    /// The nodes' logs could not all be kept.
    #[error("failed to collect all logs: {0}")]
    Evidence(String),
}
