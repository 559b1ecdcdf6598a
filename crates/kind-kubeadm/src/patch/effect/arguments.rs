//! Extra arguments that a patch sets, or a document has.

use serde_json::Value;

/// Where a document of a kind has arguments of a component that knows Kubernetes' feature gates.
pub(super) const COMPONENTS: [(&str, &[&str]); 5] = [
    ("ClusterConfiguration", &["apiServer", "extraArgs"]),
    ("ClusterConfiguration", &["controllerManager", "extraArgs"]),
    ("ClusterConfiguration", &["scheduler", "extraArgs"]),
    (
        "InitConfiguration",
        &["nodeRegistration", "kubeletExtraArgs"],
    ),
    (
        "JoinConfiguration",
        &["nodeRegistration", "kubeletExtraArgs"],
    ),
];

/// Names and values of arguments in a map or in a list.
pub(crate) fn named_arguments(arguments: &Value) -> Vec<(&str, &Value)> {
    match arguments {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect(),
        Value::Array(list) => {
            let named = list.iter();
            let named = named.filter_map(|one| Some((one["name"].as_str()?, &one["value"])));
            named.collect()
        }
        _ => Vec::new(),
    }
}
