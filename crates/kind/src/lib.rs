//! Local Kubernetes clusters whose nodes are containers.
//!
//! [`Provider`] is the way in. A cluster goes one way: configuration → [`Plan`] → provision → bootstrap
//! → ready. Operations report what they do as [`Event`]s, stop when a [`CancelToken`] is cancelled, and
//! fail with an [`Error`] that has a stable [`Code`] and, where one is known, a remedy. Nothing here prints,
//! and nothing reads the process's arguments or environment.
//!
//! ```no_run
//! # fn main() -> kind::Result<()> {
//! let provider = kind::Provider::builder()
//!     .engine(kind::EngineChoice::Native)
//!     .helper("/usr/local/bin/kind")
//!     .agent(kind::Agent::file("/usr/local/lib/kind-node"))
//!     .open()?;
//! for cluster in provider.clusters()? {
//!     println!("{cluster}");
//! }
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod abandon;
mod access;
mod belonging;
mod bootstrap;
mod cancel;
mod code;
mod code_of;
mod config_check;
mod contents;
mod create;
mod delete;
mod doctor;
mod dry_run;
mod engines;
mod error;
mod event;
mod explain;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hand_over;
mod host_paths;
mod image_error;
mod kubeconfig;
mod leftover;
mod load;
mod logs;
mod manifest;
mod network;
mod node;
mod node_image;
mod plan;
mod power;
mod provider;
mod proxies;
mod prune;
mod publish;
mod steps;
mod subnet;
mod timeline;
mod transfer;

pub use kind_config as config;

pub use cancel::CancelToken;
pub use code::{Code, UnknownCode};
pub use config_check::{check_config, complete_config, convert_config};
pub use create::{CreateCluster, Created};
pub use doctor::{
    CheckDescription, Examination, Examine, Examined, Fix, Verdict, cluster_checks, host_checks,
};
pub use dry_run::{Assumptions, DryNode, DryRun};
pub use engines::EngineChoice;
pub use error::{Cause, Error, FailedStep, NotReady, Result, error_chain};
pub use event::{
    About, Detail, Event, EventRecord, KubeadmPhase, Listener, Outcome, Phase, RecordedEvent,
    Recording, StepEnded, StepId, StepRecord, StepStarted, Verbosity, Waiting, Warning, timestamp,
};
pub use explain::{Explanation, explain, explanations};
pub use kind_diagnosis::{Check, Evidence, Severity};
pub use kind_engine::native::helper_main;
pub use kind_engine::{Agent, EngineKind, HostConfig, HostMount, Port, Protocol};
pub use kind_image::Progress;
pub use kind_image::build::Packing;
pub use kind_image::oci::Platform;
pub use kind_secret::{redact_document, redact_text};
pub use kubeconfig::{
    Endpoint, HomeCandidate, KubeconfigFiles, context_name, merge_kubeconfig,
    remove_from_kubeconfig, windows_home,
};
pub use leftover::Leftover;
pub use load::{LoadImages, LoadOutcome, LoadedImage};
pub use node_image::{BuildNodeImage, BuiltNodeImage, Source};
pub use plan::{NETWORK, NodePlan, NodeRole, Plan};
pub use power::StartCluster;
pub use provider::{Node, Provider, ProviderBuilder};
pub use prune::{Prune, Pruned, PrunedKind};
pub use timeline::{Charset, Chart, Span, Timeline};

/// Name of a cluster that nobody named.
pub const DEFAULT_CLUSTER_NAME: &str = "kind";
