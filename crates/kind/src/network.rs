//! The network that nodes share.

use std::collections::BTreeMap;

use kind_engine::EngineKind;

use crate::plan::NETWORK;

/// Name of the network for nodes of an engine, and the variable that changes it if one does.
pub(crate) fn network_name(
    engine: EngineKind,
    environment: &BTreeMap<String, String>,
) -> (&str, Option<&'static str>) {
    let variable = match engine {
        EngineKind::Docker => "KIND_EXPERIMENTAL_DOCKER_NETWORK",
        EngineKind::Podman => "KIND_EXPERIMENTAL_PODMAN_NETWORK",
        EngineKind::Native | EngineKind::Nerdctl => return (NETWORK, None),
    };
    match environment.get(variable).filter(|name| !name.is_empty()) {
        Some(name) => (name, Some(variable)),
        None => (NETWORK, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_has_its_variable() {
        let docker = "KIND_EXPERIMENTAL_DOCKER_NETWORK";
        let environment = BTreeMap::from([(docker.to_owned(), "mine".to_owned())]);
        assert_eq!(
            network_name(EngineKind::Docker, &environment),
            ("mine", Some(docker))
        );
        assert_eq!(
            network_name(EngineKind::Podman, &environment),
            ("kind", None)
        );
        assert_eq!(
            network_name(EngineKind::Nerdctl, &environment),
            ("kind", None)
        );
        let empty = BTreeMap::from([(docker.to_owned(), String::new())]);
        assert_eq!(network_name(EngineKind::Docker, &empty), ("kind", None));
    }
}
