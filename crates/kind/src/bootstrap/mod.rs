//! What nodes are asked to do once they run: the steps from booted nodes to a cluster.

mod first;
mod join;
pub(crate) mod step;
mod steps;
#[cfg(test)]
mod tests;

pub(crate) use first::{First, Manifests, PodCidrAssignment};
pub(crate) use join::{join_request, mark_request, start_request};
#[cfg(test)]
pub(crate) use steps::step_names;
pub(crate) use steps::{
    ADMIN_CONFIG, KUBELET_FINALIZE, Readiness, SHARED_FILES, await_api_server_step,
    await_nodes_step, await_ready_step, forget_token_step, note_stop, step_ids,
};
