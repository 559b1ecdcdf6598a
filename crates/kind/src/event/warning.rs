//! What does not stop the work.

use super::step::Waiting;

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
