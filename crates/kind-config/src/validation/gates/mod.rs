//! Feature gates, and what Kubernetes' versions make of them.

mod judge;
mod table;

pub use judge::{GateProblem, feature_gate_problem};
pub(super) use judge::{gate_problems, gate_warnings};
