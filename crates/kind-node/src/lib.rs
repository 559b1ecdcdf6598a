//! What runs inside a node. As a library it is what a node and its caller agree on: the protocol of
//! requests, what a node tells of itself, the CNI configuration and the load balancer's settings, and the text of a Corefile; the program `kind-node` is built from the same crate.
#![forbid(unsafe_code)]

pub mod cni;
pub mod corefile;
pub mod examination;
pub mod load_balancer;
pub mod request;
