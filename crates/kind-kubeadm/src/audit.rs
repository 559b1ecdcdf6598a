//! Records of requests to the API server: where they go, and how they are asked for.

use kind_config::{Audit, Role};
use serde_json::{Value, json};

use crate::ClusterSettings;

/// Where the policy stands in control-plane nodes.
pub const AUDIT_POLICY_PATH: &str = "/etc/kubernetes/audit/policy.yaml";
/// Where the records are in control-plane nodes.
pub const AUDIT_LOG_PATH: &str = "/var/log/kubernetes/audit.log";

const POLICY_DIRECTORY: &str = "/etc/kubernetes/audit";
const LOG_DIRECTORY: &str = "/var/log/kubernetes";

/// The policy file of control-plane nodes whose configuration asks for records.
pub fn audit_policy(cluster: &ClusterSettings, role: &Role) -> Option<String> {
    let audit = cluster.audit.as_ref()?;
    (*role == Role::ControlPlane).then(|| render_policy(audit))
}

fn render_policy(audit: &Audit) -> String {
    match &audit.policy {
        Some(policy) => policy.text.clone(),
        None => format!(
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: {}\n",
            audit.level
        ),
    }
}

/// The API server's arguments: a log that does not grow without end.
pub(crate) const ARGUMENTS: [(&str, &str); 4] = [
    ("audit-policy-file", AUDIT_POLICY_PATH),
    ("audit-log-path", AUDIT_LOG_PATH),
    ("audit-log-maxsize", "100"),
    ("audit-log-maxbackup", "2"),
];

/// What the API server's pod must see of its node.
pub(crate) fn audit_volumes() -> Value {
    json!([
        {
            "name": "audit-policy",
            "hostPath": POLICY_DIRECTORY,
            "mountPath": POLICY_DIRECTORY,
            "readOnly": true,
            "pathType": "DirectoryOrCreate",
        },
        {
            "name": "audit-log",
            "hostPath": LOG_DIRECTORY,
            "mountPath": LOG_DIRECTORY,
            "pathType": "DirectoryOrCreate",
        },
    ])
}
