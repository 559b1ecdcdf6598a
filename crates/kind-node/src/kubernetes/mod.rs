//! The way to the API server, shared by everything in a node that talks to Kubernetes: clients, what watches have
//! told, and calls that were refused. In: a kubeconfig, or a pod's own account. Out: a client, and objects by name.

mod client;
mod protocol;
mod readable;
pub(crate) mod refused;
pub(crate) mod store;
mod unready;

pub(crate) use client::{Error, client_beside, client_near, client_of, client_of_at, serves_group};
pub(crate) use protocol::Protocol;
pub(crate) use readable::{map_event, watch_readable};
pub(crate) use unready::{find_shortage, judge_node, judge_pod};
