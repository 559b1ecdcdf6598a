//! Why a node cannot boot.

use std::io;

/// Why a node cannot boot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The kernel or the file system refused a step.
    #[error("{step}: {source}")]
    Step {
        /// What was to be done.
        step: String,
        /// Why it was not.
        source: io::Error,
    },
    /// A program that the node needs ended badly.
    #[error("{program} failed ({status}): {message}")]
    Program {
        /// Its name.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said last.
        message: String,
    },
    /// Without these controllers the kubelet cannot run rootless.
    #[error(
        "cgroup controllers {0:?} are not delegated to this node; see https://kind.sigs.k8s.io/docs/user/rootless/"
    )]
    Controllers(Vec<&'static str>),
    /// A cgroup with processes cannot hand controllers down.
    #[error("processes {0} are in the root cgroup; the kubelet's cgroups cannot be made")]
    RootCgroupBusy(String),
    /// The node had an address and has none now.
    #[error("have an old {family} address ({old}) but no current one")]
    AddressLost {
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// The address that is written in the node's files.
        old: String,
    },
    /// The host cannot be found, and the cluster's name service would not be reachable.
    #[error("no address of the host: neither host.docker.internal nor a default gateway")]
    NoHostAddress,
}

/// Makes an I/O error the error of a step.
pub(crate) fn during_step(step: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    let step = step.into();
    move |source| Error::Step { step, source }
}
