//! What runs inside a node. As a library it is what a node and its caller agree on: the protocol of
//! requests and the CNI configuration; the program `kind-node` is built from the same crate.
#![forbid(unsafe_code)]

pub mod cni;
pub mod request;
