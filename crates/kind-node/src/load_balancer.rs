//! What the load balancer of a cluster with several control planes is told: one file in its container.

use serde::{Deserialize, Serialize};

/// Where the file stands. It may be written again at any time; whoever does it renames a finished file
/// into place.
pub const PATH: &str = "/kind/load-balancer.json";

/// The kubeconfig by which the load balancer learns of control planes that come or go. Without it the file at
/// [`PATH`] is all that it knows.
pub const KUBECONFIG: &str = "/kind/load-balancer.conf";

/// Where the load balancer listens and whom it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Port that it listens on, on every address.
    pub port: u16,
    /// API servers as `NAME:PORT`. Names are looked up again and again: addresses may change.
    pub members: Vec<String>,
}

impl Settings {
    /// Leads connections on `port` to the control planes of these names, which serve on that port too.
    ///
    /// ```
    /// let settings = kind_node::load_balancer::Settings::new(6443, ["a", "b"]);
    /// assert_eq!(settings.members, ["a:6443", "b:6443"]);
    /// ```
    pub fn new<'a>(port: u16, control_planes: impl IntoIterator<Item = &'a str>) -> Self {
        let member = |name| format!("{name}:{port}");
        Self {
            port,
            members: control_planes.into_iter().map(member).collect(),
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("strings and numbers are always JSON");
        text.push('\n');
        text
    }
}
