//! What runs inside a node. As a library it is what a node and its caller agree on: the protocol of
//! requests, what a node tells of itself, the CNI configuration and the load balancer's settings, and the text of a Corefile; the program `kind-node` is built from the same crate.
#![forbid(unsafe_code)]

pub mod cni;
pub mod corefile;
pub mod examination;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod load_balancer;
pub mod request;

/// As the program has it.
#[cfg(feature = "fuzzing")]
#[expect(dead_code, reason = "only the program uses all of it")]
mod dns {
    pub(crate) mod message;
    pub(crate) mod wire;
}

/// As the program has it.
#[cfg(feature = "fuzzing")]
mod crictl {
    mod command_line;
    mod usage;

    /// Whether the words are a command line.
    pub(crate) fn is_command_line(words: &[String]) -> bool {
        command_line::parse_command_line(words).is_ok()
    }
}
