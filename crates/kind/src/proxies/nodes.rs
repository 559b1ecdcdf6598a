//! What nodes are given of the host's proxies.

use std::collections::BTreeMap;

use kind_config::Networking;
use kind_engine::{Engine, Info, Network};

use super::reach::{Reach, point_at_host};
use super::variables::with_client_settings;

/// The host's environment as nodes are to see it.
pub(crate) struct ProxiesOfNodes {
    /// The environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// What the user should know of it, as sentences.
    pub(crate) warnings: Vec<String>,
}

/// Finds out what nodes on a network are given of the host's proxies, and of those of the engine's client.
pub(crate) fn proxies_of_nodes(
    environment: &BTreeMap<String, String>,
    networking: &Networking,
    network: &Network,
    engine: Option<&dyn Engine>,
    info: &Info,
) -> ProxiesOfNodes {
    if networking.disable_host_proxy {
        return ProxiesOfNodes {
            environment: environment.clone(),
            warnings: Vec::new(),
        };
    }
    let all = with_client_settings(engine, environment);
    let (environment, warnings) = point_at_host(&all, &Reach::of_host(network, info));
    ProxiesOfNodes {
        environment,
        warnings,
    }
}
