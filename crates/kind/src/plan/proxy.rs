//! The host's proxy settings for the nodes.

use std::collections::BTreeMap;

use kind_config::Cluster;

use super::Surroundings;
use crate::proxies::find_variable;

const NO_PROXY: &str = "NO_PROXY";
const VARIABLES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", NO_PROXY];

/// What engines' clients give to containers by themselves, unless they are told another value.
const GIVEN_BY_CLIENTS: [&str; 5] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    NO_PROXY,
];

/// Proxy variables in both spellings; none if the host has none, and empty ones if nodes shall have none. What belongs to
/// the cluster is never reached through a proxy.
pub(super) fn proxy_variables(
    cluster: &Cluster,
    surroundings: Surroundings<'_>,
    nodes: &[String],
) -> BTreeMap<String, String> {
    if cluster.networking.disable_host_proxy {
        let names = GIVEN_BY_CLIENTS.iter();
        let names = names.flat_map(|name| [(*name).to_owned(), name.to_lowercase()]);
        return names.map(|name| (name, String::new())).collect();
    }
    let mut found = BTreeMap::new();
    for name in VARIABLES {
        if let Some(value) = find_variable(surroundings.environment, name) {
            found.insert(name.to_owned(), value.clone());
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
