//! NetworkPolicy, enforced by the kernel of each node for the pods that run there.
//!
//! Policies, namespaces and pods become a plain table of nftables for each family of addresses
//! ([`compile`]), and what changes of it goes to the kernel in one step. A pod's traffic is judged
//! twice: by its own node for what it may send, by the other pod's node for what that may get.
//!
//! Rules as <https://kubernetes.io/docs/concepts/services-networking/network-policies/> has them:
//! connections that stand go on; what a node itself sends to its pods is let through; pods on the
//! network of their node are the node.

mod allowed;
mod cluster;
mod compile;
mod compiler;
mod direction;
mod enforce;
mod kernel;
mod ranges;
mod selector;

pub(super) use enforce::enforce_policies;

#[cfg(test)]
mod model;
#[cfg(test)]
mod packet_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod semantics_tests;
