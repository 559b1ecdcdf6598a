//! What can go wrong, with stable codes and remedies.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use kind_diagnosis::{Check, Severity};

use crate::{Code, code_of};

/// Result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure. [`Error::code`] is stable, Display says what failed, `source` why, and
/// [`Error::remedy`] what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cluster's configuration is wrong.
    #[error("{0}")]
    Config(Cause),
    /// Nodes of a cluster of that name exist.
    #[error("node(s) already exist for a cluster with the name {0:?}")]
    ClusterExists(String),
    /// No node of a cluster of that name exists.
    #[error("unknown cluster {0:?}")]
    NoSuchCluster(String),
    /// A cluster of that name has no control plane.
    #[error(
        "could not locate any control plane nodes for cluster named '{0}'. \
         Use the --name option to select a different cluster"
    )]
    NoControlPlane(String),
    /// No node of a cluster of that name can take images.
    #[error("no nodes found for cluster {0:?}")]
    NoNodes(String),
    /// The cluster has no node of that name.
    #[error("unknown node: {0}")]
    UnknownNode(String),
    /// No store on this host has an image of that name.
    #[error("image: {0:?} not present locally")]
    ImageNotPresent(String),
    /// The engine that was asked for cannot be used.
    #[error("cannot use the engine {engine:?}: {reason}")]
    EngineUnavailable {
        /// Its name.
        engine: String,
        /// Why not.
        reason: String,
    },
    /// An engine without root cannot do what nodes need.
    #[error(
        "running kind with rootless provider requires {requirement}, \
         see https://kind.sigs.k8s.io/docs/user/rootless/"
    )]
    Rootless {
        /// What is missing.
        requirement: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// Something that this version cannot do.
    #[error("{0} is not supported by this version yet")]
    NotSupported(String),
    /// The engine failed at something.
    #[error("{action}")]
    Engine {
        /// What kind of thing was tried.
        attempt: Code,
        /// The same in words, with names.
        action: String,
        /// Why it failed.
        source: Cause,
    },
    /// The host has nothing left of what nodes take.
    #[error("the host cannot run the cluster's nodes: {found}")]
    HostResources {
        /// What is used up.
        found: String,
        /// How to have more of it.
        remedy: String,
    },
    /// The network of nodes has no IPv6, and the cluster wants it.
    #[error(
        "failed to ensure {engine} network: network {network:?} has no IPv6 subnet, and the cluster wants IPv6"
    )]
    NetworkWithoutIpv6 {
        /// The engine.
        engine: &'static str,
        /// The network.
        network: String,
    },
    /// Pods would have addresses of nodes.
    #[error(
        "network {network:?} of the nodes has the addresses {subnet}, and pods of the cluster would have {pods}"
    )]
    NetworkOverlap {
        /// The network.
        network: String,
        /// Its subnet.
        subnet: String,
        /// A node's share of the pod subnet.
        pods: String,
    },
    /// Nodes cannot run on the engine's machine.
    #[error(
        "nodes cannot run on the machine of {engine}: it is {machine}, and this kind brings a program for nodes of {own}"
    )]
    WrongMachine {
        /// The engine.
        engine: &'static str,
        /// Architecture of its machine.
        machine: String,
        /// The architecture that this program is for.
        own: String,
    },
    /// A store of images or an archive cannot be used.
    #[error("{action}")]
    Store {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: Cause,
    },
    /// Results of builds cannot be removed.
    #[error("failed to remove {}", path.display())]
    BuildCache {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: Cause,
    },
    /// A node image is not there and cannot be had.
    #[error("failed to pull image {image:?}")]
    Image {
        /// Its reference.
        image: String,
        /// Why not.
        source: Cause,
    },
    /// An image cannot be published.
    #[error("failed to push image {image:?}")]
    Push {
        /// Its reference.
        image: String,
        /// Why not.
        source: Cause,
    },
    /// A node image cannot be built.
    #[error("failed to build the node image from {from:?}")]
    Build {
        /// What it was to be made from.
        from: String,
        /// Why not.
        source: Cause,
    },
    /// A document for a node cannot be made.
    #[error("{action}")]
    Document {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: Cause,
    },
    /// The node image does not hold what a node needs.
    #[error("node image {image:?} is unusable: {reason}")]
    BadImage {
        /// Its reference.
        image: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// Nothing tells which Kubernetes version an image has.
    #[error("cannot tell the Kubernetes version of image {0:?}, which is not here")]
    UnknownVersion(String),
    /// A step inside a node failed.
    #[error("{}: {}", .0.action, .0.reason)]
    Step(Box<FailedStep>),
    /// A node does not run, and its journal ended with it.
    #[error("no journal of node {node:?}: it is not running, and kept its journal in memory")]
    NoJournal {
        /// The node.
        node: String,
    },
    /// The kubeconfig of a cluster or of the user cannot be used.
    #[error("{action}")]
    Kubeconfig {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: Cause,
    },
    /// An operation on a file failed.
    #[error("{action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Cancelled,
    /// A cluster that was waited for is not ready.
    #[error("it is not ready in time: {}", .0.reason)]
    NotReady(Box<NotReady>),
    /// A cluster was made and is there; what comes after that failed.
    #[error("cluster {cluster:?} was created and stays")]
    ClusterStays {
        /// The cluster.
        cluster: String,
        /// What failed.
        source: Box<Error>,
    },
    /// A cluster's creation failed, and what its nodes could tell was kept.
    #[error("{source}")]
    Examined {
        /// The failure.
        source: Box<Error>,
        /// Directory with the nodes' logs, if one could be made.
        evidence: Option<PathBuf>,
        /// Why not all of them are there.
        evidence_problem: Option<String>,
    },
    /// Several failures of one operation that went on as far as it could.
    #[error("[{}]", .0.iter().map(error_chain).collect::<Vec<_>>().join(", "))]
    Many(Vec<Error>),
}

/// Why a cluster is not ready.
#[derive(Debug)]
#[non_exhaustive]
pub struct NotReady {
    /// What was waited for last.
    pub reason: String,
    /// What is in the way, the worst first.
    pub causes: Vec<Check>,
}

impl NotReady {
    /// From what the node agent printed.
    pub(crate) fn new(output: &str, causes: Vec<Check>) -> Self {
        let last = output.trim_end().lines().next_back().unwrap_or_default();
        let reason = last.trim_start_matches("kind-node: ");
        Self {
            reason: match reason {
                "" => "its nodes did not say why".to_owned(),
                reason => reason.to_owned(),
            },
            causes,
        }
    }

    pub(crate) fn into_error(self) -> Error {
        Error::NotReady(Box::new(self))
    }
}

/// A step inside a node that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedStep {
    /// The node.
    pub node: String,
    /// What was tried.
    pub action: String,
    /// Why it failed, in one line.
    pub reason: String,
    /// Everything the step's program printed.
    pub output: String,
    /// What is in the way, the worst first.
    pub causes: Vec<Check>,
}

impl FailedStep {
    /// Boxed: errors are moved through every call.
    pub(crate) fn into_error(self) -> Error {
        Error::Step(Box::new(self))
    }
}

impl Error {
    /// What kind of failure it is. Where an engine says no more than that it failed, it is what was tried.
    pub fn code(&self) -> Code {
        match self {
            Self::ClusterExists(_) => Code::ClusterExists,
            Self::NoSuchCluster(_) => Code::ClusterMissing,
            Self::NoControlPlane(_) => Code::ControlPlaneMissing,
            Self::NoNodes(_) => Code::NodesMissing,
            Self::UnknownNode(_) => Code::NodeMissing,
            Self::ImageNotPresent(_) => Code::ImageNotPresent,
            Self::EngineUnavailable { .. } => Code::EngineUnavailable,
            Self::Rootless { .. } => Code::Rootless,
            Self::NotSupported(_) => Code::NotSupported,
            Self::BadImage { .. } => Code::ImageUnusable,
            Self::UnknownVersion(_) => Code::VersionUnknown,
            Self::Step(_) => Code::NodeStep,
            Self::NoJournal { .. } => Code::NodeLogs,
            Self::Io { .. } => Code::Io,
            Self::Cancelled => Code::Cancelled,
            Self::Many(_) => Code::Many,
            Self::NetworkWithoutIpv6 { .. } => Code::NetworkIpv6,
            Self::NetworkOverlap { .. } => Code::NetworkOverlap,
            Self::WrongMachine { .. } => Code::Architecture,
            Self::HostResources { .. } => Code::HostResources,
            Self::NotReady(_) => Code::NotReady,
            Self::Examined { source, .. } | Self::ClusterStays { source, .. } => source.code(),
            Self::Engine {
                attempt, source, ..
            } => source.code_or(*attempt),
            Self::Image { source, .. } => source.code_or(Code::ImagePull),
            Self::Config(cause)
            | Self::Store { source: cause, .. }
            | Self::BuildCache { source: cause, .. }
            | Self::Push { source: cause, .. }
            | Self::Build { source: cause, .. }
            | Self::Document { source: cause, .. }
            | Self::Kubeconfig { source: cause, .. } => cause.0.code,
        }
    }

    /// What the user can do, if anything is known.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::ClusterExists(name) => Some(format!(
                "choose another name with `--name`, or remove that cluster with \
                 `kind delete cluster --name {name}`"
            )),
            Self::ImageNotPresent(_) => Some(
                "pull or build it with the engine that the cluster runs on, or load an archive of it \
                 with `kind load image-archive`"
                    .to_owned(),
            ),
            Self::EngineUnavailable { .. } => {
                Some("on Linux, root needs no container engine with `--provider native`".to_owned())
            }
            Self::Rootless { remedy, .. } => Some((*remedy).to_owned()),
            Self::UnknownVersion(_) => {
                Some("say which it is with `--kubernetes-version`, for example v1.36.1".to_owned())
            }
            Self::Io { path, source, .. } => {
                crate::access::remedy(path, source, "choose another place")
            }
            Self::Step(step) => {
                // What may heal need not be why it failed.
                let mut causes = step.causes.iter();
                let error = causes.find(|check| check.severity == Severity::Error);
                error.map(|check| check.remedy.clone())
            }
            Self::Examined { source, .. } => source.remedy(),
            Self::ClusterStays { cluster, source } => Some(remedy_of_rest(cluster, source)),
            Self::NoJournal { .. } => Some(
                "its `serial.log`, and its pods' logs if it has any, tell what it said before it ended; export logs \
                 before nodes are stopped"
                    .to_owned(),
            ),
            Self::Many(errors) => {
                let mut remedies: Vec<String> = errors.iter().filter_map(Self::remedy).collect();
                remedies.dedup();
                (!remedies.is_empty()).then(|| remedies.join("\n"))
            }
            Self::NetworkWithoutIpv6 { network, .. } => Some(format!(
                "delete the clusters on it and remove it, so that it is made anew with IPv6 \
                 (`docker network rm {network}`); if that changes nothing, let the engine and its host have IPv6"
            )),
            Self::NetworkOverlap { network, .. } => Some(format!(
                "set `networking.podSubnet` to other addresses, or remove what is on the network and then it \
                 (`docker network rm {network}`): it is made anew with others"
            )),
            Self::HostResources { remedy, .. } => Some(remedy.clone()),
            Self::WrongMachine { machine, .. } => {
                Some(format!("use a kind that was built for {machine}"))
            }
            _ => self.cause()?.0.remedy.clone(),
        }
    }

    /// The failure of another part of kind behind it.
    fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Config(cause)
            | Self::Engine { source: cause, .. }
            | Self::Store { source: cause, .. }
            | Self::BuildCache { source: cause, .. }
            | Self::Image { source: cause, .. }
            | Self::Push { source: cause, .. }
            | Self::Build { source: cause, .. }
            | Self::Document { source: cause, .. }
            | Self::Kubeconfig { source: cause, .. } => Some(cause),
            _ => None,
        }
    }

    /// What the failed program printed, if a program failed.
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Step(step) => Some(&step.output),
            Self::Examined { source, .. } | Self::ClusterStays { source, .. } => source.output(),
            Self::Many(errors) => errors.iter().find_map(Self::output),
            _ => self.cause()?.0.output.as_deref(),
        }
    }

    /// What was found to be in the way, the worst first.
    pub fn causes(&self) -> &[Check] {
        match self {
            Self::Step(step) => &step.causes,
            Self::NotReady(found) => &found.causes,
            Self::Examined { source, .. } | Self::ClusterStays { source, .. } => source.causes(),
            _ => &[],
        }
    }

    /// The node that the failure is about, if it is about one.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::Step(step) => Some(&step.node),
            Self::NoJournal { node } => Some(node),
            Self::Examined { source, .. } | Self::ClusterStays { source, .. } => source.node(),
            _ => None,
        }
    }

    /// The directory where the nodes' logs were kept, if any were.
    pub fn evidence(&self) -> Option<&Path> {
        match self {
            Self::Examined { evidence, .. } => evidence.as_deref(),
            _ => None,
        }
    }

    /// Why not all of the nodes' logs were kept, if some were not.
    pub fn evidence_problem(&self) -> Option<&str> {
        match self {
            Self::Examined {
                evidence_problem, ..
            } => evidence_problem.as_deref(),
            _ => None,
        }
    }

    /// Whether the caller asked for this end.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled => true,
            Self::Examined { source, .. } | Self::ClusterStays { source, .. } => {
                source.is_cancelled()
            }
            _ => false,
        }
    }

    /// The field of the configuration that is at fault, as far as that is known.
    pub(crate) fn place(&self) -> Option<&str> {
        match self {
            Self::Document { source, .. } => source.0.place.as_deref(),
            _ => None,
        }
    }

    /// Says what to do about a document that cannot be made.
    pub(crate) fn with_remedy(mut self, remedy: String) -> Self {
        if let Self::Document { source, .. } = &mut self {
            source.0.remedy = Some(remedy);
        }
        self
    }

    /// One failure out of several, or none.
    pub(crate) fn collect(mut errors: Vec<Self>) -> Result<()> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Many(errors)),
        }
    }

    /// Wraps a failure to make a document.
    pub(crate) fn document(error: kind_kubeadm::Error) -> Self {
        let place = error.place();
        Self::Document {
            action: "failed to make the node's configuration".to_owned(),
            source: Cause::new(Code::Document, error).at(place),
        }
    }

    /// Wraps a failure of the engine with what was tried.
    pub(crate) fn engine(
        attempt: Code,
        action: impl Into<String>,
    ) -> impl FnOnce(kind_engine::Error) -> Self {
        let action = action.into();
        move |error| Self::Engine {
            attempt,
            action,
            source: Cause::from_engine(error),
        }
    }

    /// Wraps a failure of the operating system with what was tried on which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// What to do about a cluster that is there, and what came after its creation failed.
fn remedy_of_rest(cluster: &str, failed: &Error) -> String {
    let mended = failed.remedy();
    let rest = match failed {
        Error::Kubeconfig { .. } => {
            let later = format!("`kind export kubeconfig --name {cluster}` writes its entry");
            match &mended {
                Some(_) => format!("{later} then"),
                None => format!("once that is mended, {later}"),
            }
        }
        _ => format!(
            "`kind doctor {cluster}` looks at it, and `kind delete cluster --name {cluster}` removes it"
        ),
    };
    mended
        .into_iter()
        .chain([rest])
        .collect::<Vec<_>>()
        .join("\n")
}

/// An inner failure of a part of kind whose own error type is no promise.
#[derive(Debug)]
pub struct Cause(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    remedy: Option<String>,
    output: Option<String>,
    place: Option<String>,
    error: Box<dyn StdError + Send + Sync>,
}

impl Cause {
    pub(crate) fn new(code: Code, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(Box::new(Inner {
            code,
            remedy: None,
            output: None,
            place: None,
            error: error.into(),
        }))
    }

    /// Its code, or what was tried where that says no more.
    fn code_or(&self, attempt: Code) -> Code {
        Some(self.0.code)
            .filter(|code| !code.is_general())
            .unwrap_or(attempt)
    }

    pub(crate) fn with_remedy(mut self, remedy: Option<String>) -> Self {
        self.0.remedy = remedy;
        self
    }

    /// Names the field of the configuration that is at fault.
    pub(crate) fn at(mut self, place: Option<String>) -> Self {
        self.0.place = place;
        self
    }

    /// Takes code, remedy and output over from the engine.
    pub(crate) fn from_engine(error: kind_engine::Error) -> Self {
        let (code, remedy) = (code_of::of_engine(error.code()), error.remedy());
        let output = error.output().map(str::to_owned);
        let mut cause = Self::new(code, error).with_remedy(remedy);
        cause.0.output = output;
        cause
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.error.source()
    }
}

/// An error and its sources in one line, outermost first.
pub fn error_chain(error: &Error) -> String {
    chain_of(error)
}

/// The same of any failure.
pub(crate) fn chain_of(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        // Wrappers that show their source's text as their own are not repeated.
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}
