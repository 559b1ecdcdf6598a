//! What runs inside a node. As a library it is the protocol of requests to a node; the program
//! `kind-node` is built from the same crate.
#![forbid(unsafe_code)]

pub mod request;
