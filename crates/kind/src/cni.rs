//! The pod network's configuration of one node.

use serde_json::{Value, json};

/// Where it stands in a node.
pub(crate) const PATH: &str = "/etc/cni/net.d/10-kindnet.conflist";

/// The configuration for a node's share of the pod subnets: a link for each pod, addresses from the
/// share, and published ports. The network add-on writes the same file when it runs.
pub(crate) fn config(pod_cidrs: &[String]) -> String {
    let routes: Vec<Value> = [("0.0.0.0/0", '.'), ("::/0", ':')]
        .iter()
        .filter(|(_, family)| pod_cidrs.iter().any(|cidr| cidr.contains(*family)))
        .map(|(everywhere, _)| json!({ "dst": everywhere }))
        .collect();
    let ranges: Vec<Value> = pod_cidrs
        .iter()
        .map(|cidr| json!([{ "subnet": cidr }]))
        .collect();
    let config = json!({
        "cniVersion": "0.3.1",
        "name": "kindnet",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni-ipam-state",
                    "routes": routes,
                    "ranges": ranges,
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use super::config;

    #[test]
    fn both_families_have_routes_and_ranges() {
        insta::assert_snapshot!(config(&["10.244.0.0/24".into(), "fd00:10:244::/64".into()]));
    }

    #[test]
    fn one_family_has_one_route() {
        let config = config(&["10.244.1.0/24".to_owned()]);
        assert!(config.contains("0.0.0.0/0") && !config.contains("::/0"));
    }
}
