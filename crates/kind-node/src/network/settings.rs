//! What the add-on is told by its manifest.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Error;

/// What the add-on is told by its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// Ranges of all pods of the cluster.
    pub(super) pod_subnets: Vec<IpNet>,
    /// Ranges of Services' addresses, where kube-proxy serves them.
    pub(super) service_subnets: Vec<IpNet>,
    /// An address of this node.
    pub(super) host: IpAddr,
    /// This node's name, where the manifest tells it.
    pub(super) node: Option<String>,
    /// `host:port` of an API server that answers before Services do.
    pub(super) endpoint: Option<String>,
}

impl Settings {
    /// Reads the settings; `variable` is the environment.
    pub(super) fn read_variables(
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, Error> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| variable(name).ok_or(Error::Missing(name));
        let invalid = |name, value: &str| Error::Invalid {
            name,
            value: value.to_owned(),
        };
        let subnets = |name, value: &str| -> Result<Vec<IpNet>, Error> {
            let each = value
                .split(',')
                .map(|subnet| subnet.trim().parse::<IpNet>());
            let each = each.map(|subnet| subnet.map(|subnet| subnet.trunc()));
            each.collect::<Result<_, _>>()
                .map_err(|_| invalid(name, value))
        };
        let host = required("HOST_IP")?;
        let services = variable("SERVICE_SUBNET");
        let services = services.map(|value| subnets("SERVICE_SUBNET", &value));
        Ok(Self {
            pod_subnets: subnets("POD_SUBNET", &required("POD_SUBNET")?)?,
            service_subnets: services.transpose()?.unwrap_or_default(),
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
        Settings::read_variables(|name| {
            let found = values.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn both_families_are_read() {
        let settings = read(&[
            ("POD_SUBNET", "10.244.0.0/16, fd00:10:244::1/56"),
            ("HOST_IP", "172.18.0.2"),
            ("SERVICE_SUBNET", "10.96.0.0/16"),
            ("CONTROL_PLANE_ENDPOINT", ""),
        ])
        .unwrap();
        assert_eq!(settings.service_subnets[0].to_string(), "10.96.0.0/16");
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
            (
                &[
                    ("POD_SUBNET", "::/0"),
                    ("HOST_IP", "::1"),
                    ("SERVICE_SUBNET", "10.96.0.1-9"),
                ][..],
                "SERVICE_SUBNET",
            ),
        ] {
            let error = read(values).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
