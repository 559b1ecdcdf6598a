//! The host's proxy settings for the nodes.

use std::collections::BTreeMap;

use kind_config::Cluster;

use super::Surroundings;

const NO_PROXY: &str = "NO_PROXY";
const VARIABLES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", NO_PROXY];

/// Proxy variables in both spellings; none if the host has none. What belongs to the cluster is never
/// reached through a proxy.
pub(super) fn variables(
    cluster: &Cluster,
    surroundings: Surroundings<'_>,
    nodes: &[String],
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for name in VARIABLES {
        let of_host = |name: &str| {
            let value = surroundings.environment.get(name);
            value.filter(|value| !value.is_empty()).cloned()
        };
        if let Some(value) = of_host(name).or_else(|| of_host(&name.to_lowercase())) {
            found.insert(name.to_owned(), value);
        }
    }
    if found.is_empty() {
        return found;
    }
    let mut direct: Vec<String> = surroundings.subnets.to_vec();
    direct.extend(found.remove(NO_PROXY));
    direct.push(cluster.networking.service_subnet.clone());
    direct.push(cluster.networking.pod_subnet.clone());
    direct.extend_from_slice(nodes);
    direct.extend(cluster.load_balancer());
    direct.extend([".svc", ".svc.cluster", ".svc.cluster.local"].map(str::to_owned));
    found.insert(NO_PROXY.to_owned(), direct.join(","));
    let lower: Vec<_> = found
        .iter()
        .map(|(k, v)| (k.to_lowercase(), v.clone()))
        .collect();
    found.extend(lower);
    found
}
