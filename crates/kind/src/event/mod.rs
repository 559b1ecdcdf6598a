//! What a running operation reports.

mod millis;
mod record;
mod recording;
mod step;
mod time;
mod verbosity;

use std::time::Duration;

use kind_image::Progress;
pub use kind_node::request::{KubeadmPhase, StepId};
use serde::{Deserialize, Serialize};

pub(crate) use millis::whole_millis;
pub use record::{About, EventRecord, StepRecord};
pub use recording::{RecordedEvent, Recording};
pub use step::{Detail, StepEnded, StepStarted, Waiting};
pub use time::timestamp;
pub use verbosity::Verbosity;

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
    /// A step in a node has begun: a detail.
    StepStarted(StepStarted),
    /// A step in a node has ended well: a detail.
    StepEnded(StepEnded),
    /// A detail for a user who asked for details.
    Detail(Detail),
}

/// How a phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        #[serde(rename = "limitMs", with = "millis")]
        #[cfg_attr(feature = "schema", schemars(with = "u64"))]
        limit: Duration,
    },
}

impl Phase {
    /// The phase in plain words.
    pub fn title(&self) -> &str {
        match self {
            Self::BuildStep { title } => title,
            Self::EnsureImage { .. } => "ensure the node image",
            Self::PrepareNodes { .. } => "prepare nodes",
            Self::LoadBalancer => "configure the load balancer",
            Self::WriteConfiguration => "write configuration",
            Self::StartControlPlane => "start the control plane",
            Self::InstallCni => "install the pod network",
            Self::InstallStorage => "install storage",
            Self::JoinControlPlanes => "join more control planes",
            Self::JoinWorkers => "join workers",
            Self::WaitReady { .. } => "wait for the control plane",
        }
    }
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
    /// Nodes of an interrupted creation are kept, because the user wants that.
    #[error(
        "nodes are kept: {}; `kind delete cluster --name {cluster}` removes them", .nodes.join(", ")
    )]
    Retained {
        /// The cluster.
        cluster: String,
        /// Its nodes that exist.
        nodes: Vec<String>,
    },
    /// Clean-up after a failure failed too.
    #[error("failed to clean up: {0}")]
    CleanUp(String),
}
