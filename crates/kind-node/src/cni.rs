//! The CNI configuration of a node: the one text that both the library (before the node starts)
//! and the network add-on (when the node's pod range turns out to be another) write.

use serde_json::{Value, json};

/// Where it stands in a node.
pub const PATH: &str = "/etc/cni/net.d/10-kindnet.conflist";

/// The configuration for pods with addresses from `pod_cidrs`, for example
/// `["10.244.0.0/24", "fd00:10:244::/64"]`, and with the link size `mtu` where it is known.
///
/// ```
/// let text = kind_node::cni::conflist(&["10.244.0.0/24".to_owned()], Some(1500));
/// assert!(text.contains(r#""subnet": "10.244.0.0/24""#));
/// ```
pub fn conflist(pod_cidrs: &[String], mtu: Option<u32>) -> String {
    let is_v6 = |cidr: &String| cidr.contains(':');
    let mut routes = Vec::new();
    if !pod_cidrs.iter().all(is_v6) {
        routes.push(json!({ "dst": "0.0.0.0/0" }));
    }
    if pod_cidrs.iter().any(is_v6) {
        routes.push(json!({ "dst": "::/0" }));
    }
    let ranges: Vec<Value> = pod_cidrs
        .iter()
        .map(|cidr| json!([{ "subnet": cidr }]))
        .collect();
    let mut ptp = json!({
        "type": "ptp",
        // Only what leaves the pod network is masqueraded, which is not for this plugin to know.
        "ipMasq": false,
        "ipam": {
            "type": "host-local",
            // Not on disk: addresses of pods that a reboot ended are free again.
            "dataDir": "/run/cni-ipam-state",
            "routes": routes,
            "ranges": ranges,
        },
    });
    if let Some(mtu) = mtu {
        ptp["mtu"] = json!(mtu);
    }
    let list = json!({
        "cniVersion": "0.3.1",
        "name": "kindnet",
        "plugins": [ptp, { "type": "portmap", "capabilities": { "portMappings": true } }],
    });
    format!("{list:#}\n")
}

/// The configuration with another link size for pods; `None` if it is no configuration of this form.
pub fn with_mtu(text: &str, mtu: u32) -> Option<String> {
    let mut list: Value = serde_json::from_str(text).ok()?;
    let plugins = list.get_mut("plugins")?.as_array_mut()?;
    let ptp = plugins.iter_mut().find(|plugin| plugin["type"] == "ptp")?;
    ptp["mtu"] = json!(mtu);
    Some(format!("{list:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_size_is_set_where_there_is_a_link() {
        let cidrs = ["10.244.0.0/24".to_owned()];
        for before in [None, Some(9000)] {
            let text = with_mtu(&conflist(&cidrs, before), 1400).unwrap();
            assert_eq!(text, conflist(&cidrs, Some(1400)));
        }
        for text in ["", "{}", r#"{"plugins": [{"type": "bridge"}]}"#] {
            assert_eq!(with_mtu(text, 1400), None);
        }
    }

    #[test]
    fn routes_and_ranges_follow_the_families() {
        for (cidrs, routes) in [
            (&["10.244.0.0/24"][..], json!([{ "dst": "0.0.0.0/0" }])),
            (&["fd00::/64"][..], json!([{ "dst": "::/0" }])),
            (
                &["10.244.0.0/24", "fd00::/64"][..],
                json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]),
            ),
        ] {
            let owned: Vec<String> = cidrs.iter().map(|cidr| (*cidr).to_owned()).collect();
            let list: Value = serde_json::from_str(&conflist(&owned, None)).unwrap();
            let ptp = &list["plugins"][0];
            assert_eq!(ptp["ipam"]["routes"], routes);
            assert_eq!(ptp["ipam"]["ranges"].as_array().unwrap().len(), cidrs.len());
            assert_eq!(ptp["ipam"]["ranges"][0][0]["subnet"], cidrs[0]);
            assert!(ptp.get("mtu").is_none());
        }
    }
}
