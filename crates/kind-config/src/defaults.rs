//! What stands where a configuration says nothing.

use crate::model::{Cluster, IpFamily, Networking, Node};

/// Image of nodes whose configuration names none: the default of kind v0.33.0.
pub const DEFAULT_NODE_IMAGE: &str =
    "kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5";

const DEFAULT_NAME: &str = "kind";

impl Cluster {
    /// Fills in everything that is not set. Values that are set stay, so it may be called again
    /// after a change.
    pub fn set_defaults(&mut self) {
        set(&mut self.name, DEFAULT_NAME);
        if self.nodes.is_empty() {
            self.nodes.push(Node::control_plane());
        }
        for node in &mut self.nodes {
            set(&mut node.image, DEFAULT_NODE_IMAGE);
        }
        self.networking.set_defaults();
    }
}

impl Networking {
    fn set_defaults(&mut self) {
        let (address, pods, services) = match self.ip_family {
            IpFamily::Ipv6 => ("::1", "fd00:10:244::/56", "fd00:10:96::/112"),
            IpFamily::Dual => (
                "127.0.0.1",
                "10.244.0.0/16,fd00:10:244::/56",
                "10.96.0.0/16,fd00:10:96::/112",
            ),
            IpFamily::Ipv4 | IpFamily::Unknown(_) => ("127.0.0.1", "10.244.0.0/16", "10.96.0.0/16"),
        };
        set(&mut self.api_server_address, address);
        set(&mut self.pod_subnet, pods);
        set(&mut self.service_subnet, services);
    }
}

fn set(field: &mut String, default: &str) {
    if field.is_empty() {
        default.clone_into(field);
    }
}
