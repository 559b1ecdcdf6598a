//! The pod network of one node, run as a pod of a DaemonSet on the node's own network. In: the Nodes, and the Pods,
//! Namespaces and NetworkPolicies of the cluster. Out: routes, tables of nftables, and the node's CNI configuration.
//!
//! It watches the nodes: a route leads to every other node's pods, the CNI configuration follows
//! the node's own pod range, and what leaves the pod network goes out under the node's address.
//! What no Service takes of the Services' range is refused.
//! Network policies are enforced for the node's own pods.
//! None of that is awaited by a node that boots: the configuration stands before the kubelet
//! starts, and a node alone needs no routes.

mod claims;
mod error;
mod masquerade;
mod nodes;
mod policy;
mod program;
mod routes;
mod settings;
mod sources;
mod unserved;
mod upkeep;

pub(crate) use error::Error;
pub(crate) use program::run_network;

#[cfg(test)]
mod manifest_tests;
#[cfg(test)]
mod packet_tests;
