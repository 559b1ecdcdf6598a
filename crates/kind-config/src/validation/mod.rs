//! Whether the values of a cluster can work together.

mod cluster;
mod exposure;
mod extras;
mod gates;
mod labels;
mod mounts;
mod names;
mod nodes;
mod ports;
mod publications;
mod subnets;
#[cfg(test)]
mod tests;
mod versions;

pub use gates::{GateProblem, feature_gate_problem};
pub use labels::node_labels_problem;
pub use nodes::node_taints_problem;
pub use subnets::parse_cidr;
pub use versions::{tagged_version, version_tag};
