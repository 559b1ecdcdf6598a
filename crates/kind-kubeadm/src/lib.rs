//! What makes a node a Kubernetes node: kubeadm's documents, how to call kubeadm, and the patches
//! that users apply to kubeadm's and containerd's configuration.
//!
//! Everything here is pure: what a cluster's configuration says and what is known of a node go in, text comes out.
//!
//! ```
//! use kind_config::Cluster;
//! use kind_kubeadm::{ClusterSettings, NodeFacts, NodeSettings, init_command, patched};
//!
//! let mut cluster = Cluster::default();
//! cluster.set_defaults();
//! let node = NodeSettings::new(0, &cluster.nodes[0])?;
//! let cluster = ClusterSettings::new(&cluster)?;
//! let mut facts = NodeFacts::new("kind-control-plane", "docker", "v1.36.1")?;
//! facts.ipv4 = Some([172, 18, 0, 2].into());
//! let documents = patched(&cluster, &node, &facts)?;
//! assert!(documents.text().starts_with("apiServer:\n"));
//! assert_eq!(init_command(&cluster, &documents, &facts)[..2], ["kubeadm", "init"]);
//! # Ok::<(), kind_kubeadm::Error>(())
//! ```
#![forbid(unsafe_code)]

mod api;
mod audit;
pub mod certificates;
mod check;
mod command;
pub mod containerd;
mod documents;
mod error;
mod node;
pub mod patch;
mod registration;
mod release;
mod settings;
mod skip_phases;
mod stream;
mod subnets;
#[cfg(test)]
mod testing;
mod trust;
mod warnings;

pub use api::Api;
pub use audit::{AUDIT_LOG_PATH, AUDIT_POLICY_PATH, audit_policy};
pub use check::check_patches;
pub use command::{
    CONFIG_PATH, ObjectPhase, START_PATH, init_command, join_command, object_phase_commands,
};
pub use documents::{BootstrapToken, Documents, patched};
pub use error::Error;
pub use node::NodeFacts;
pub use release::{control_plane_taints, first_kubeconfig, notes_runtime_at_node};
pub use settings::{ClusterSettings, NodeSettings};
pub use trust::trust_files;
pub use warnings::{gate_warnings, warnings};
