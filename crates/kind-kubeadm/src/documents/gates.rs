//! Feature gates.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{ClusterSettings, NodeFacts};

/// Feature gates for the components of a node.
pub(super) struct Gates(BTreeMap<String, bool>);

impl Gates {
    /// The cluster's gates and what the node needs.
    pub(super) fn feature_gates(cluster: &ClusterSettings, facts: &NodeFacts) -> Self {
        let mut gates = cluster.feature_gates.clone();
        if facts.rootless {
            gates.insert("KubeletInUserNamespace".into(), true);
        }
        Self(gates)
    }

    /// The value of an argument, for example `A=true,B=false`; `None` if there are no gates.
    pub(super) fn argument(&self) -> Option<String> {
        let gates: Vec<String> = self
            .0
            .iter()
            .map(|(name, on)| format!("{name}={on}"))
            .collect();
        (!gates.is_empty()).then(|| gates.join(","))
    }

    /// Sets a document's `featureGates` if there are gates.
    pub(super) fn set_in_document(&self, document: &mut Value) {
        if !self.0.is_empty() {
            let gates = self.0.iter().map(|(name, on)| (name.clone(), (*on).into()));
            document["featureGates"] = Value::Object(gates.collect());
        }
    }
}
