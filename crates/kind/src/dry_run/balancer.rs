//! The load balancer in front of several control planes, as kind makes it of published images: an
//! Envoy proxy that finds the control planes by their names.

use std::collections::BTreeMap;

use kind_config::{Cluster, IpFamily, Role};

/// The image that kind v0.33.0 uses.
pub(super) const IMAGE: &str = "docker.io/envoyproxy/envoy:v1.36.2";

/// The listeners and the clusters that Envoy reads.
pub(super) fn files(cluster: &Cluster) -> BTreeMap<String, String> {
    let ipv6 = cluster.networking.ip_family == IpFamily::Ipv6;
    let pairs = [
        ("/home/envoy/lds.yaml", listeners(ipv6)),
        ("/home/envoy/cds.yaml", clusters(cluster, ipv6)),
    ];
    pairs.map(|(path, text)| (path.to_owned(), text)).into()
}

fn listeners(ipv6: bool) -> String {
    let address = if ipv6 { "::" } else { "0.0.0.0" };
    format!(
        r#"
resources:
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: listener_apiserver
  address:
    socket_address:
      address: "{address}"
      port_value: 6443
  filter_chains:
  - filters:
    - name: envoy.filters.network.tcp_proxy
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
        stat_prefix: ingress_tcp
        cluster: kube_apiservers
"#
    )
}

fn clusters(cluster: &Cluster, ipv6: bool) -> String {
    let family = if ipv6 { "AUTO" } else { "V4_PREFERRED" };
    let names = cluster.node_names();
    let nodes = names.iter().zip(&cluster.nodes);
    let mut backends: Vec<_> = nodes
        .filter(|(_, node)| node.role == Role::ControlPlane)
        .map(|(name, _)| name)
        .collect();
    backends.sort_unstable();
    let endpoints: String = backends.into_iter().map(endpoint).collect();
    format!("{}{endpoints}", CLUSTERS.replace("FAMILY", family))
}

fn endpoint(name: &String) -> String {
    format!(
        "      - endpoint:
          address:
            socket_address:
              address: {name}
              port_value: 6443
"
    )
}

const CLUSTERS: &str = r#"
resources:
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: kube_apiservers
  connect_timeout: 0.25s
  type: STRICT_DNS
  lb_policy: ROUND_ROBIN
  dns_lookup_family: FAMILY
  health_checks:
  - timeout: 3s
    interval: 2s
    unhealthy_threshold: 2
    healthy_threshold: 1
    initial_jitter: 0s
    no_traffic_interval: 3s
    always_log_health_check_failures: true
    always_log_health_check_success: true
    event_log_path: /dev/stdout
    http_health_check:
      path: /healthz
    transport_socket_match_criteria:
      tls_mode: "true"
  transport_socket_matches:
  - name: "health_check_tls"
    match:
      tls_mode: "true"
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context:
          validation_context:
            trust_chain_verification: ACCEPT_UNTRUSTED
  load_assignment:
    cluster_name: kube_apiservers
    endpoints:
    - lb_endpoints:
"#;
