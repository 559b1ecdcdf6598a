//! The host's proxy settings for the nodes.

use std::collections::BTreeMap;

use kind_config::Cluster;
use kind_engine::Engine;

use super::Surroundings;

const NO_PROXY: &str = "NO_PROXY";
const PROXIES: [&str; 2] = ["HTTP_PROXY", "HTTPS_PROXY"];
const VARIABLES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", NO_PROXY];

/// The host's environment with the proxies of the engine's own client, where the host has no proxy; a
/// variable of the host's counts more.
pub(crate) fn with_client_settings(
    engine: &dyn Engine,
    environment: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let is_set = |name: &str| {
        let spellings = [name.to_owned(), name.to_lowercase()];
        let mut values = spellings.iter().filter_map(|name| environment.get(name));
        values.any(|value| !value.is_empty())
    };
    let mut all = environment.clone();
    if !PROXIES.iter().any(|name| is_set(name)) {
        let client = engine.proxies(environment).into_iter();
        all.extend(client.filter(|(name, _)| !is_set(name)));
    }
    all
}

/// Proxy variables in both spellings; none if the host has none. What belongs to the cluster is never
/// reached through a proxy.
pub(super) fn proxy_variables(
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
    let mut direct: Vec<String> = surroundings.network.subnets.clone();
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
