//! What an engine has set for a network, against what nodes need of one.

use ipnet::IpNet;
use serde_json::Value;

use crate::command_line::Flavor;
use crate::{Code, Error};

/// Prefix of what docker calls the options of its bridges.
const BRIDGE: &str = "com.docker.network.bridge.";
const DOCKER_MTU: &str = "com.docker.network.driver.mtu";
/// What a bridge lets in if nobody says anything.
const USUAL_MTU: u32 = 1500;

/// What is set, as far as the engine tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::command_line) struct Settings {
    /// Nothing leads out of it.
    internal: bool,
    /// Packets that leave it bear the host's address.
    masquerades: Option<bool>,
    /// Its containers reach each other.
    connects: Option<bool>,
    /// The longest packets that it lets in.
    mtu: Option<u32>,
    /// Its containers find each other by name.
    names: Option<bool>,
}

impl Settings {
    /// Reads them out of what `network inspect` tells of a network, in each form that engines have had.
    pub(super) fn read(network: &Value) -> Self {
        let docker = &network["Options"];
        let podman = &network["options"];
        let is_default = read_switch(&docker[format!("{BRIDGE}default_bridge")]) == Some(true);
        // Docker gives names on all networks but its own first one.
        let names = is_default.then_some(false);
        let isolates = ["gateway_mode_ipv4", "gateway_mode_ipv6"]
            .iter()
            .any(|mode| docker[format!("{BRIDGE}{mode}")] == "isolated");
        Self {
            internal: isolates
                || ["Internal", "internal"]
                    .iter()
                    .any(|key| network[*key] == true),
            masquerades: read_switch(&docker[format!("{BRIDGE}enable_ip_masquerade")]),
            connects: read_switch(&docker[format!("{BRIDGE}enable_icc")]),
            mtu: [&docker[DOCKER_MTU], &podman["mtu"]]
                .iter()
                .find_map(|mtu| mtu.as_str()?.parse().ok()),
            names: network["dns_enabled"].as_bool().or(names),
        }
    }

    /// Whether nodes find each other by name there.
    pub(in crate::command_line) fn gives_names(&self) -> bool {
        self.names != Some(false)
    }

    /// What nodes need and do not get, each in words. `way_out` is the longest packet that the engine's own bridge
    /// lets in.
    pub(super) fn find_problems(
        &self,
        has_lasting_addresses: bool,
        way_out: Option<u32>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let mut tell = |text: &str| problems.push(text.to_owned());
        if self.internal {
            tell("it is internal: nodes reach no registry, and their ports are not published");
        }
        if self.masquerades == Some(false) {
            tell("it does not masquerade: nobody outside answers to the addresses of nodes");
        }
        if self.connects == Some(false) {
            tell("it keeps containers apart: nodes do not reach each other");
        }
        if !self.gives_names() && !has_lasting_addresses {
            tell("it has no DNS: several nodes do not find each other");
        }
        let mtu = self.mtu.unwrap_or(USUAL_MTU);
        if let Some(way_out) = way_out.filter(|way_out| mtu > *way_out) {
            tell(&format!(
                "it lets packets of {mtu} bytes in, and the way out takes {way_out}: longer ones are lost"
            ));
        }
        problems
    }
}

/// A warning of a network's problems, with what mends them.
pub(super) fn warning(flavor: Flavor, name: &str, problems: &[String]) -> String {
    let engine = flavor.name();
    format!(
        "network {name:?} is there and is not as nodes need it: {} (remove what is on it, then `{engine} network rm \
         {name}`: it is made anew)",
        problems.join("; ")
    )
}

/// The failure of a network whose addresses lead elsewhere.
pub(super) fn routed_elsewhere(
    engine: &str,
    network: &str,
    subnets: &[String],
    route: IpNet,
) -> Error {
    Error::other(
        Code::SubnetRouted,
        format!(
            "network {network:?} has the addresses {}, and this host routes {route} elsewhere: it would not reach the \
             cluster",
            subnets.join(" and ")
        ),
        format!(
            "remove that route (`ip route get {}` shows its link), or remove what is on the network, then `{engine} \
             network rm {network}`: it is made anew with other addresses",
            route.addr()
        ),
    )
}

fn read_switch(value: &Value) -> Option<bool> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_bool(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, way_out: Option<u32>) -> String {
        let network: Value = serde_json::from_str(text).unwrap();
        Settings::read(&network)
            .find_problems(true, way_out)
            .join("; ")
    }

    #[test]
    fn networks_that_kind_makes_are_as_nodes_need_them() {
        let options = r#""com.docker.network.bridge.enable_ip_masquerade":"true""#;
        let mtu = r#""com.docker.network.driver.mtu":"1500""#;
        for text in [
            format!(r#"{{"Internal":false,"Options":{{{options},{mtu}}}}}"#),
            format!(r#"{{"Internal":false,"Options":{{{options}}}}}"#),
            r#"{"internal":false,"dns_enabled":true,"ipam_options":{"driver":"host-local"}}"#
                .to_owned(),
            r#"{"Options":null}"#.to_owned(),
            "null".to_owned(),
        ] {
            assert_eq!(problems(&text, Some(1500)), "", "{text}");
        }
    }

    #[test]
    fn an_internal_network_is_told() {
        let internal = "it is internal: nodes reach no registry, and their ports are not published";
        for text in [
            r#"{"Internal":true}"#,
            r#"{"internal":true}"#,
            r#"{"Options":{"com.docker.network.bridge.gateway_mode_ipv4":"isolated"}}"#,
        ] {
            assert_eq!(problems(text, None), internal);
        }
    }

    #[test]
    fn a_network_whose_containers_are_kept_apart_is_told() {
        let text = r#"{"Options":{"com.docker.network.bridge.enable_icc":"false"}}"#;
        let apart = "it keeps containers apart: nodes do not reach each other";
        assert_eq!(problems(text, None), apart);
    }

    #[test]
    fn a_network_without_masquerade_is_told() {
        let text = r#"{"Options":{"com.docker.network.bridge.enable_ip_masquerade":"false"}}"#;
        assert!(problems(text, None).starts_with("it does not masquerade: "));
    }

    #[test]
    fn packets_that_are_too_long_for_the_way_out_are_told() {
        let text = r#"{"Options":{"com.docker.network.driver.mtu":"1500"}}"#;
        let told =
            "it lets packets of 1500 bytes in, and the way out takes 1400: longer ones are lost";
        for text in [text, "{}"] {
            assert_eq!(problems(text, Some(1400)), told);
            assert_eq!(problems(text, Some(9000)), "");
        }
        assert_eq!(problems(r#"{"options":{"mtu":"1300"}}"#, Some(1400)), "");
    }

    #[test]
    fn nodes_without_names_and_addresses_do_not_find_each_other() {
        let text = r#"{"Options":{"com.docker.network.bridge.default_bridge":"true"}}"#;
        let settings = Settings::read(&serde_json::from_str(text).unwrap());
        assert!(!settings.gives_names());
        let told = ["it has no DNS: several nodes do not find each other"];
        assert_eq!(settings.find_problems(false, None), told);
        assert!(settings.find_problems(true, None).is_empty());
    }
}
