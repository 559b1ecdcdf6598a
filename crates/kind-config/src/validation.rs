//! Whether the values of a cluster can work together.

mod ports;
mod subnets;

use std::net::IpAddr;

use crate::Error;
use crate::error::Aggregate;
use crate::model::{Cluster, IpFamily, KubeProxyMode, Networking, Node, Role};

impl Cluster {
    /// Checks a cluster whose defaults are set.
    ///
    /// # Errors
    /// Holds every problem, in the order of the fields.
    pub fn validate(&self) -> Result<(), Error> {
        let mut problems = Vec::new();
        if !is_cluster_name(&self.name) {
            problems.push(format!(
                "'{}' is not a valid cluster name, cluster names must match `^[a-z0-9.-]+$`",
                self.name
            ));
        }
        self.networking.collect_problems(&mut problems);
        for (index, node) in self.nodes.iter().enumerate() {
            let of_node = node.problems();
            if !of_node.is_empty() {
                problems.push(format!(
                    "invalid configuration for node {index}: {}",
                    Aggregate(&of_node)
                ));
            }
        }
        if !self
            .nodes
            .iter()
            .any(|node| node.role == Role::ControlPlane)
        {
            problems.push("must have at least one control-plane node".to_owned());
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(problems))
        }
    }

    /// What works but is probably not what was meant, as sentences for people.
    pub fn warnings(&self) -> Vec<String> {
        ports::conflicts_between_nodes(self)
    }
}

impl Networking {
    fn collect_problems(&self, problems: &mut Vec<String>) {
        if self.api_server_port != 0
            && let Err(problem) = ports::check_port(self.api_server_port)
        {
            problems.push(format!("invalid apiServerPort: {problem}"));
        }
        if !self.api_server_address.is_empty() && self.api_server_address.parse::<IpAddr>().is_err()
        {
            problems.push(format!(
                "invalid apiServerAddress: {} is not an IP address",
                self.api_server_address
            ));
        }
        if let IpFamily::Unknown(word) = &self.ip_family {
            problems.push(format!("invalid ipFamily: {word}"));
        }
        if let Err(problem) = subnets::check(&self.pod_subnet, &self.ip_family) {
            problems.push(format!("invalid pod subnet {problem}"));
        }
        if let Err(problem) = subnets::check(&self.service_subnet, &self.ip_family) {
            problems.push(format!("invalid service subnet {problem}"));
        }
        if let KubeProxyMode::Unknown(word) = &self.kube_proxy_mode {
            problems.push(format!("invalid kubeProxyMode: {word}"));
        }
    }
}

impl Node {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Role::Unknown(word) = &self.role {
            problems.push(format!("{word:?} is not a valid node role"));
        }
        if self.image.is_empty() {
            problems.push("image is a required field".to_owned());
        }
        for mapping in &self.extra_port_mappings {
            for (field, port) in [
                ("hostPort", mapping.host_port),
                ("containerPort", mapping.container_port),
            ] {
                if let Err(problem) = ports::check_port(port) {
                    problems.push(format!("invalid {field}: {problem}"));
                }
            }
        }
        if let Err(problem) = ports::check_mappings(&self.extra_port_mappings) {
            problems.push(format!("invalid portMapping: {problem}"));
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

#[cfg(test)]
mod tests;
