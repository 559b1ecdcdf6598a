//! The plan: everything that will be made for a cluster, as a value that knows nothing of how an
//! engine is called.

mod display;
mod model;
mod mounts;
mod planner;
mod ports;
mod proxy;
#[cfg(test)]
mod recorded_tests;
mod role;
#[cfg(test)]
mod tests;

pub(crate) use model::{KubernetesNode, NodeMap, Surroundings, UserManifest};
pub use model::{NETWORK, NodePlan, Plan};
pub(crate) use planner::published_ports;
pub use role::NodeRole;
