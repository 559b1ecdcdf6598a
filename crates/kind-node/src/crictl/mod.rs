//! A small stand-in for `crictl` in node images that have no package of it. In: its command line, and containerd's
//! socket. Out: text or JSON on stdout.
//!
//! It holds what kind, kubeadm and people at a node's shell ask for, in crictl's words and forms, and says
//! so where it does not know something. It talks to containerd as crictl does: over the Container Runtime
//! Interface, version `v1` or else `v1alpha2`, whose messages are the same as far as they are used here.

mod answer;
mod calls;
mod client;
mod command_line;
mod containers;
mod error;
mod images;
mod json;
#[rustfmt::skip]
#[expect(
    clippy::doc_lazy_continuation,
    clippy::enum_variant_names,
    unreachable_pub,
    reason = "generated, in the words of the proto"
)]
mod messages;
mod pods;
mod program;
#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod server_tests;
mod status;
mod table;
mod usage;

use error::Error;

pub(crate) use program::run_crictl;
