//! The cluster that a configuration describes, as plain data.

mod build;
mod cluster;
mod resources;
mod words;

pub use cluster::{
    AddOns, Audit, Cluster, FileOrText, JsonPatch, Mirror, Mount, Networking, Node, PortMapping,
    Registry, Taint,
};
pub use resources::{ResourceLimits, Resources};
pub use words::{
    AddOn, AuditLevel, IpFamily, KubeProxyMode, Propagation, Protocol, Role, TaintEffect,
};
