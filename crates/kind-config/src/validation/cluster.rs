//! A whole cluster, and its networks.

use std::net::IpAddr;

use super::{
    exposure, extras, gates, labels, mounts, nodes, ports, publications, subnets, versions,
};
use crate::Error;
use crate::error::{FieldError, ValidationError, choice_hint};
use crate::model::{Cluster, IpFamily, KubeProxyMode, Networking, Role};

impl Cluster {
    /// Checks a cluster whose defaults are set.
    ///
    /// # Errors
    /// Holds every problem, in the order of the fields.
    pub fn validate(&self) -> Result<(), Error> {
        let mut findings = Vec::new();
        if !is_cluster_name(&self.name) {
            let message = format!(
                "'{}' is not a valid cluster name, cluster names must match `^[a-z0-9.-]+$`",
                self.name
            );
            findings.push(FieldError::new("name", message).into());
        }
        findings.extend(
            self.networking
                .problems()
                .into_iter()
                .map(ValidationError::from),
        );
        findings.extend(
            gates::gate_problems(self)
                .into_iter()
                .map(ValidationError::from),
        );
        findings.extend(nodes::validate_nodes(self));
        findings.extend(
            publications::collision_problems(self)
                .into_iter()
                .map(ValidationError::from),
        );
        if !self
            .nodes
            .iter()
            .any(|node| node.role == Role::ControlPlane)
        {
            let message = "must have at least one control-plane node";
            findings.push(FieldError::new("nodes", message).into());
        }
        findings.extend(
            extras::validate_extras(self)
                .into_iter()
                .map(ValidationError::from),
        );
        if findings.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(findings))
        }
    }

    /// What works but is probably not what was meant, as sentences for people.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = subnets::subnet_warnings(&self.networking);
        warnings.extend(gates::gate_warnings(self));
        warnings.extend(exposure::exposure_warnings(&self.networking));
        warnings.extend(versions::version_warnings(self));
        warnings.extend(labels::label_warnings(self));
        warnings.extend(mounts::mount_warnings(self));
        warnings.extend(publications::collision_warnings(self));
        warnings.extend(extras::extra_warnings(self));
        warnings
    }
}

impl Networking {
    fn problems(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        if self.api_server_port != 0
            && let Err(problem) = ports::check_port(self.api_server_port)
        {
            let message = format!("invalid apiServerPort: {problem}");
            let hint = Some("ports are 1 to 65535; 0 lets kind pick one, -1 the engine");
            problems.push(FieldError::new("networking.apiServerPort", message).hint(hint));
        }
        let address = &self.api_server_address;
        if !address.is_empty() && address.parse::<IpAddr>().is_err() {
            let message = format!("invalid apiServerAddress: {address} is not an IP address");
            let hint = Some("use 127.0.0.1 for this host only, 0.0.0.0 for every address of it");
            problems.push(FieldError::new("networking.apiServerAddress", message).hint(hint));
        }
        if let IpFamily::Unknown(word) = &self.ip_family {
            let hint = Some(choice_hint(word, IpFamily::WORDS));
            let message = format!("invalid ipFamily: {word}");
            problems.push(FieldError::new("networking.ipFamily", message).hint(hint));
        }
        for (field, words, subnets) in [
            ("networking.podSubnet", "pod subnet", &self.pod_subnet),
            (
                "networking.serviceSubnet",
                "service subnet",
                &self.service_subnet,
            ),
        ] {
            if let Err(problem) = subnets::check_subnets(subnets, &self.ip_family) {
                let message = format!("invalid {words} {}", problem.message);
                problems.push(FieldError::new(field, message).hint(Some(problem.hint)));
            }
        }
        if let KubeProxyMode::Unknown(word) = &self.kube_proxy_mode {
            let hint = Some(choice_hint(word, KubeProxyMode::WORDS));
            let message = format!("invalid kubeProxyMode: {word}");
            problems.push(FieldError::new("networking.kubeProxyMode", message).hint(hint));
        }
        problems
    }
}

fn is_cluster_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}
