//! Why cluster DNS does not run.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::kubernetes;

/// Why cluster DNS does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command line names something unknown.
    #[error("unknown option {0:?}")]
    Option(String),
    /// An option has no value, or one that does not fit.
    #[error("option {option} needs {expected}")]
    Value {
        option: &'static str,
        /// What its value should be.
        expected: &'static str,
    },
    /// CoreDNS's configuration cannot be read.
    #[error("read {}", .0.display())]
    Read(PathBuf),
    /// The first Corefile is not one; there is none before that could stay in force.
    #[error("use the Corefile: {0}")]
    Corefile(String),
    /// An address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The runtime or the signal handlers cannot be set up.
    #[error("set up the runtime")]
    Runtime(#[source] std::io::Error),
    /// There is no way to the API server.
    #[error("connect to the cluster")]
    Kubernetes(#[from] kubernetes::Error),
}
