//! What a node tells of itself when somebody looks whether it is well: `kind-node examine` prints it as JSON.

use kind_diagnosis::Check;
use serde::{Deserialize, Serialize};

/// What a node tells of itself. What a node of another release does not tell is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Examination {
    /// Its time, in milliseconds since 1970.
    pub now_ms: u64,
    /// Disks that it writes to.
    pub disks: Vec<Disk>,
    /// Certificates that must not expire.
    pub certificates: Vec<Certificate>,
    /// Programs that it needs and that do not run.
    pub stopped_units: Vec<String>,
    /// What its components say that is in the way, the worst first.
    pub checks: Vec<Check>,
    /// What the API server beside it says; `None` if it has none.
    pub server: Option<Server>,
}

/// A disk of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Disk {
    /// A directory on it.
    pub path: String,
    /// Bytes that are free.
    pub free: u64,
}

/// A certificate of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Certificate {
    /// Its file.
    pub path: String,
    /// The second since 1970 after which it does not count.
    pub expires: i64,
}

/// What an API server says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Server {
    /// Why it does not answer, if it does not.
    pub failure: Option<String>,
    /// Which Kubernetes it is of, for example `v1.36.2`.
    pub version: String,
    /// Nodes that are not ready.
    pub unready_nodes: Vec<Unready>,
    /// Nodes that are short of something.
    pub short_nodes: Vec<Unready>,
    /// Pods of Kubernetes itself that are not.
    pub unready_pods: Vec<Unready>,
}

/// Something that is not ready.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Unready {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}
