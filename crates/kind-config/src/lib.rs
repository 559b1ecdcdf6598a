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

mod defaults;
mod error;
mod fields;
mod model;
mod names;
mod reading;
mod v1alpha4;
mod validation;
pub mod version;
pub mod yaml;

pub use defaults::{DEFAULT_NODE_IMAGE, LOAD_BALANCER_IMAGE};
pub use error::Error;
pub use model::{
    Cluster, IpFamily, JsonPatch, KubeProxyMode, Mount, Networking, Node, PortMapping, Propagation,
    Protocol, Role,
};
pub use names::{API_SERVER_PORT, LOAD_BALANCER_ROLE, NodeNamer};
