//! Versioned cluster configuration: strict decoding, defaults, validation.
//!
//! ```
//! use kind_config::Cluster;
//!
//! let mut cluster = Cluster::parse("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n")?;
//! cluster.name = "demo".into();
//! cluster.set_defaults();
//! cluster.validate()?;
//! assert_eq!(cluster.node_names(), ["demo-control-plane"]);
//! # Ok::<(), kind_config::Error>(())
//! ```
#![forbid(unsafe_code)]

mod api;
mod convert;
mod defaults;
mod error;
mod model;
mod names;
mod nearest;
mod reading;
mod source;
#[cfg(test)]
mod strategies;
mod validation;
pub mod version;
mod wire;
mod writing;
pub mod yaml;

pub use api::{ApiVersion, UnknownApiVersion};
pub use convert::convert;
pub use defaults::DEFAULT_NODE_IMAGE;
pub use error::{Error, ValidationError};
pub use model::*;
pub use names::{API_SERVER_PORT, LOAD_BALANCER_ROLE, NodeNamer};
pub use nearest::nearest_word;
pub use source::Source;
pub use validation::{
    GateProblem, feature_gate_problem, node_labels_problem, node_taints_problem, parse_cidr,
    tagged_version, version_tag,
};
pub use writing::json_schema;
