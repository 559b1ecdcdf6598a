//! From the API's objects to what cluster DNS keeps of them.

use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::rr::Name;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1 as discovery;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::model::{Endpoint, Endpoints, Key, Kind, Port, Service};
use crate::kubernetes::Protocol;

/// Label of an EndpointSlice that names its service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The longest label that a domain name may have.
const LONGEST_LABEL: usize = 63;

/// The older spelling of `publishNotReadyAddresses`, named by the specification.
const TOLERATE_UNREADY: &str = "service.alpha.kubernetes.io/tolerate-unready-endpoints";

/// Keeps what matters of a Service.
pub(crate) fn convert_service(object: core::Service) -> (Key, Arc<Service>) {
    let tolerated = object
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(TOLERATE_UNREADY))
        .is_some_and(|value| value == "true");
    let spec = object.spec.unwrap_or_default();
    let service = Service {
        publish_not_ready: tolerated || spec.publish_not_ready_addresses == Some(true),
        kind: service_kind(spec),
    };
    (object_key(object.metadata), Arc::new(service))
}

/// Keeps what matters of an EndpointSlice. One with domain names instead of addresses has none of
/// its endpoints left.
pub(crate) fn convert_slice(object: discovery::EndpointSlice) -> (Key, Endpoints) {
    let ports: Arc<[Port]> = object
        .ports
        .iter()
        .flatten()
        // A port without a number stands for all ports, which has no record.
        .filter_map(|port| named_port(port.name.as_deref(), port.protocol.as_deref(), port.port?))
        .collect();
    let endpoints = object
        .endpoints
        .iter()
        .flatten()
        .flat_map(|endpoint| slice_addresses(endpoint, &ports))
        .collect();
    let service = object
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(SERVICE_NAME))
        .map_or("", String::as_str)
        .into();
    let kept = Endpoints { service, endpoints };
    (object_key(object.metadata), kept)
}

/// Keeps what matters of an Endpoints object, which has its service's name.
pub(crate) fn convert_endpoints(object: core::Endpoints) -> (Key, Endpoints) {
    let key = object_key(object.metadata);
    let kept = Endpoints {
        service: key.name.clone(),
        endpoints: object
            .subsets
            .iter()
            .flatten()
            .flat_map(subset_endpoints)
            .collect(),
    };
    (key, kept)
}

/// Keeps the name of a Namespace.
pub(crate) fn convert_namespace(object: core::Namespace) -> (Key, ()) {
    let name: Box<str> = object.metadata.name.unwrap_or_default().into();
    let key = Key {
        namespace: name.clone(),
        name,
    };
    (key, ())
}

/// Keeps the addresses of a Pod; those of its node are not its own, and one that has ended has none.
pub(crate) fn convert_pod(object: core::Pod) -> (Key, Vec<IpAddr>) {
    let status = object.status.unwrap_or_default();
    let on_node = object
        .spec
        .is_some_and(|spec| spec.host_network == Some(true));
    let ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let several = status.pod_ips.unwrap_or_default();
    let texts = several.into_iter().map(|one| one.ip).chain(status.pod_ip);
    let mut addresses: Vec<IpAddr> = texts.filter_map(|text| text.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    if on_node || ended {
        addresses.clear();
    }
    (object_key(object.metadata), addresses)
}

/// Decides what a service's own name stands for.
fn service_kind(spec: core::ServiceSpec) -> Kind {
    if spec.type_.as_deref() == Some("ExternalName") {
        return spec
            .external_name
            .and_then(|name| absolute_name(&name))
            .map_or(Kind::Nothing, Kind::External);
    }
    // Older objects have only the single field.
    let single = spec.cluster_ip.into_iter().collect();
    let given = spec
        .cluster_ips
        .filter(|all| !all.is_empty())
        .unwrap_or(single);
    if given.iter().any(|address| address == "None") {
        return Kind::Headless;
    }
    let addresses: Vec<IpAddr> = given.iter().filter_map(|text| text.parse().ok()).collect();
    if addresses.is_empty() {
        return Kind::Nothing;
    }
    let ports = spec
        .ports
        .iter()
        .flatten()
        .filter_map(|port| named_port(port.name.as_deref(), port.protocol.as_deref(), port.port))
        .collect();
    Kind::ClusterIp { addresses, ports }
}

/// Returns the name with its last dot, or nothing for what is no domain name.
fn absolute_name(text: &str) -> Option<Name> {
    let mut name = Name::from_ascii(text).ok().filter(|_| !text.is_empty())?;
    name.set_fqdn(true);
    Some(name)
}

/// Turns one endpoint of a slice into one endpoint for each of its addresses.
fn slice_addresses(endpoint: &discovery::Endpoint, ports: &Arc<[Port]>) -> Vec<Endpoint> {
    let ready = endpoint
        .conditions
        .as_ref()
        // Unknown counts as ready; the API says so.
        .is_none_or(|conditions| conditions.ready != Some(false));
    let target = endpoint.target_ref.as_ref();
    endpoint
        .addresses
        .iter()
        .filter_map(|text| {
            convert_endpoint(text, endpoint.hostname.as_deref(), target, ready, ports)
        })
        .collect()
}

/// Turns one subset of an Endpoints object into endpoints.
fn subset_endpoints(subset: &core::EndpointSubset) -> Vec<Endpoint> {
    let ports: Arc<[Port]> = subset
        .ports
        .iter()
        .flatten()
        .filter_map(|port| named_port(port.name.as_deref(), port.protocol.as_deref(), port.port))
        .collect();
    let ready = subset.addresses.iter().flatten().map(|one| (one, true));
    let unready = subset.not_ready_addresses.iter().flatten();
    ready
        .chain(unready.map(|one| (one, false)))
        .filter_map(|(address, ready)| {
            let target = address.target_ref.as_ref();
            convert_endpoint(
                &address.ip,
                address.hostname.as_deref(),
                target,
                ready,
                &ports,
            )
        })
        .collect()
}

/// Makes an endpoint; nothing if the address is none.
fn convert_endpoint(
    text: &str,
    hostname: Option<&str>,
    target: Option<&core::ObjectReference>,
    ready: bool,
    ports: &Arc<[Port]>,
) -> Option<Endpoint> {
    let address: IpAddr = text.parse().ok()?;
    let given = hostname.filter(|name| !name.is_empty());
    let label = given.map_or_else(|| dashed_address(address), str::to_ascii_lowercase);
    let hostname: Arc<str> = label.into();
    let pod = target.filter(|target| given.is_none() && target.kind.as_deref() == Some("Pod"));
    let pod = pod.and_then(|target| target.name.as_deref());
    let pod = pod.filter(|name| name.len() <= LONGEST_LABEL);
    Some(Endpoint {
        pod_hostname: pod.map_or_else(|| hostname.clone(), Arc::from),
        hostname,
        address,
        ready,
        ports: ports.clone(),
    })
}

/// Names an endpoint that has no name of its own: its address with dashes, unique in its service.
pub(crate) fn dashed_address(address: IpAddr) -> String {
    address.to_string().replace(['.', ':'], "-")
}

/// Makes a port; nothing if the number is none.
fn named_port(name: Option<&str>, protocol: Option<&str>, number: i32) -> Option<Port> {
    Some(Port {
        name: name.unwrap_or_default().to_ascii_lowercase().into(),
        protocol: Protocol::of_object(protocol).unwrap_or(Protocol::Tcp),
        number: u16::try_from(number).ok()?,
    })
}

/// Returns the key of an object.
fn object_key(metadata: ObjectMeta) -> Key {
    Key {
        namespace: metadata.namespace.unwrap_or_default().into(),
        name: metadata.name.unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn service_kinds() {
        let headless = Kind::Headless;
        let dual = Kind::ClusterIp {
            addresses: vec!["10.96.0.5".parse().unwrap(), "fd00::5".parse().unwrap()],
            ports: Vec::new(),
        };
        let single = Kind::ClusterIp {
            addresses: vec!["10.96.0.5".parse().unwrap()],
            ports: Vec::new(),
        };
        let external = Kind::External(Name::from_ascii("www.example.com.").unwrap());
        for (spec, expected) in [
            (json!({"clusterIP": "None"}), headless.clone()),
            (
                json!({"clusterIP": "None", "clusterIPs": ["None"]}),
                headless,
            ),
            (json!({"clusterIP": "10.96.0.5"}), single),
            (
                json!({"clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.5", "fd00::5"]}),
                dual,
            ),
            (json!({"clusterIP": ""}), Kind::Nothing),
            (json!({}), Kind::Nothing),
            (
                json!({"type": "ExternalName", "externalName": "www.example.com"}),
                external,
            ),
            (
                json!({"type": "ExternalName", "externalName": ""}),
                Kind::Nothing,
            ),
        ] {
            let object = read(json!({"metadata": {"namespace": "n", "name": "s"}, "spec": spec}));
            assert_eq!(convert_service(object).1.kind.clone(), expected, "{spec}");
        }
    }

    #[test]
    fn unready_addresses_are_published_by_field_and_by_annotation() {
        for object in [
            json!({"metadata": {}, "spec": {"publishNotReadyAddresses": true}}),
            json!({"metadata": {"annotations": {TOLERATE_UNREADY: "true"}}, "spec": {}}),
        ] {
            assert!(convert_service(read(object)).1.publish_not_ready);
        }
        assert!(
            !convert_service(read(json!({"metadata": {}, "spec": {}})))
                .1
                .publish_not_ready
        );
    }

    #[test]
    fn slice_keeps_addresses_names_and_readiness() {
        let (key, kept) = convert_slice(read(json!({
            "metadata": {"namespace": "n", "name": "s-x7", "labels": {SERVICE_NAME: "s"}},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080}, {"name": "any"}],
            "endpoints": [
                {"addresses": ["10.0.0.1"], "hostname": "Zero"},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
                {"addresses": ["10.0.0.3"], "conditions": {}},
            ],
        })));
        assert_eq!((&*key.name, &*kept.service), ("s-x7", "s"));
        let seen: Vec<_> = kept
            .endpoints
            .iter()
            .map(|endpoint| (&*endpoint.hostname, endpoint.ready))
            .collect();
        assert_eq!(
            seen,
            [("zero", true), ("10-0-0-2", false), ("10-0-0-3", true)]
        );
        assert_eq!(kept.endpoints[0].ports.len(), 1);
    }

    #[test]
    fn slice_of_domain_names_has_no_endpoints() {
        let (_, kept) = convert_slice(read(json!({
            "metadata": {"labels": {SERVICE_NAME: "s"}},
            "addressType": "FQDN",
            "endpoints": [{"addresses": ["www.example.com"]}],
        })));
        assert!(kept.endpoints.is_empty());
    }

    #[test]
    fn endpoints_object_keeps_both_lists() {
        let (_, kept) = convert_endpoints(read(json!({
            "metadata": {"namespace": "n", "name": "s"},
            "subsets": [{
                "addresses": [{"ip": "10.0.0.1", "hostname": "zero"}],
                "notReadyAddresses": [{"ip": "fd00::2"}],
                "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}],
            }],
        })));
        assert_eq!(&*kept.service, "s");
        let seen: Vec<_> = kept
            .endpoints
            .iter()
            .map(|endpoint| (&*endpoint.hostname, endpoint.ready))
            .collect();
        assert_eq!(seen, [("zero", true), ("fd00--2", false)]);
        assert_eq!(kept.endpoints[0].ports[0].protocol, Protocol::Udp);
    }
}
