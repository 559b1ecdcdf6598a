//! What the add-on is told by its manifest.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Error;

/// What the add-on is told by its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// Ranges of all pods of the cluster.
    pub(super) pod_subnets: Vec<IpNet>,
    /// An address of this node.
    pub(super) host: IpAddr,
    /// This node's name, where the manifest tells it.
    pub(super) node: Option<String>,
    /// `host:port` of an API server that answers before Services do.
    pub(super) endpoint: Option<String>,
}

impl Settings {
    /// Reads the settings; `variable` is the environment.
    pub(super) fn read(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self, Error> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| variable(name).ok_or(Error::Missing(name));
        let invalid = |name, value: &str| Error::Invalid {
            name,
            value: value.to_owned(),
        };
        let subnets = required("POD_SUBNET")?;
        let host = required("HOST_IP")?;
        Ok(Self {
            pod_subnets: subnets
                .split(',')
                .map(|subnet| subnet.trim().parse::<IpNet>().map(|subnet| subnet.trunc()))
                .collect::<Result<_, _>>()
                .map_err(|_| invalid("POD_SUBNET", &subnets))?,
            host: host.parse().map_err(|_| invalid("HOST_IP", &host))?,
            node: variable("NODE_NAME"),
            endpoint: variable("CONTROL_PLANE_ENDPOINT"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(|name| {
            let found = values.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn both_families_are_read() {
        let settings = read(&[
            ("POD_SUBNET", "10.244.0.0/16, fd00:10:244::1/56"),
            ("HOST_IP", "172.18.0.2"),
            ("CONTROL_PLANE_ENDPOINT", ""),
        ])
        .unwrap();
        let subnets: Vec<String> = settings
            .pod_subnets
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(subnets, ["10.244.0.0/16", "fd00:10:244::/56"]);
        assert_eq!(settings.endpoint, None);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (values, name) in [
            (&[("HOST_IP", "172.18.0.2")][..], "POD_SUBNET"),
            (&[("POD_SUBNET", "10.244.0.0/16")][..], "HOST_IP"),
            (
                &[("POD_SUBNET", "10.244"), ("HOST_IP", "::1")][..],
                "POD_SUBNET",
            ),
            (
                &[("POD_SUBNET", "::/0"), ("HOST_IP", "node")][..],
                "HOST_IP",
            ),
        ] {
            let error = read(values).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
