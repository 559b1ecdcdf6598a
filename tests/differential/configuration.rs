//! Random configurations: most of them right, some with a mistake.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::{patches, yaml};

/// A configuration and the Kubernetes version of its nodes.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) version: &'static str,
    config: Value,
}

impl Case {
    /// How many nodes it asks for.
    pub(crate) fn nodes(&self) -> usize {
        let nodes = self.config.get("nodes").and_then(Value::as_array);
        nodes.map_or(1, Vec::len)
    }

    /// The configuration's text.
    pub(crate) fn text(&self) -> String {
        let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
        match &self.config {
            Value::Object(fields) if fields.is_empty() => header.to_owned(),
            config => format!("{header}{}", yaml::text(config)),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kubernetes {}\n{}", self.version, self.text())
    }
}

const VERSIONS: &[&str] = &[
    "v1.20.15",
    "v1.22.17",
    "v1.23.17",
    "v1.30.0",
    "v1.35.0",
    "v1.36.0-alpha.1.22+abcdef01234567",
    "v1.36.1",
    "v1.37.0",
];

/// A case. What our kind does otherwise on purpose does not come up: labels and arguments in a map have
/// one entry (their order is random in the original), ports are published once, and no number that is
/// whole elsewhere has a fraction (the original cuts it off).
pub(crate) fn case() -> impl Strategy<Value = Case> {
    (select(VERSIONS), config(), mistake()).prop_map(|(version, mut config, mistake)| {
        if let Some(mistake) = mistake {
            mistake.make(&mut config);
        }
        Case { version, config }
    })
}

/// An object with some of these fields.
fn some_of(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let fields = fields.into_iter().map(|(name, value)| {
        let field = proptest::option::weighted(0.4, value);
        field.prop_map(move |value| (name, value))
    });
    let object = fields.collect::<Vec<_>>().prop_map(|fields| {
        let given = fields.into_iter();
        let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect())
    });
    object.boxed()
}

fn one_of(values: &[Value]) -> BoxedStrategy<Value> {
    select(values.to_vec()).boxed()
}

fn words(words: &[&str]) -> BoxedStrategy<Value> {
    one_of(&words.iter().map(|word| json!(word)).collect::<Vec<_>>())
}

fn config() -> BoxedStrategy<Value> {
    some_of(vec![
        (
            "name",
            words(&["kind", "demo", "a.b-c9", "x", "Upper", "under_score"]),
        ),
        ("networking", networking()),
        (
            "featureGates",
            one_of(&[
                json!({}),
                json!({"A": true}),
                json!({"B": false, "A": true}),
            ]),
        ),
        (
            "runtimeConfig",
            one_of(&[
                json!({}),
                json!({"api/all": "true"}),
                json!({"b": "1", "a": "2"}),
            ]),
        ),
        (
            "nodes",
            proptest::collection::vec(node(), 0..4)
                .prop_map(Value::from)
                .boxed(),
        ),
        ("kubeadmConfigPatches", patches::merge().boxed()),
        (
            "kubeadmConfigPatchesJSON6902",
            patches::operations().boxed(),
        ),
        ("containerdConfigPatches", patches::containerd().boxed()),
    ])
}

fn networking() -> BoxedStrategy<Value> {
    let pods = [
        "10.1.0.0/16",
        "fd00:1::/56",
        "10.1.0.0/16,fd00:1::/56",
        "fd00:1::/56,10.1.0.0/16",
        "10.1.0.0/16,10.2.0.0/16",
        "10.1.2.3/16",
        "aa",
        "10.1.0.0",
        "10.1.0.0/16, fd00:1::/56",
    ];
    let services = [
        "10.5.0.0/16",
        "fd00:5::/112",
        "10.5.0.0/16,fd00:5::/112",
        "fd00:5::/112,10.5.0.0/16",
        "bb/8",
    ];
    some_of(vec![
        (
            "ipFamily",
            words(&["ipv4", "ipv4", "ipv6", "dual", "dual", "IPv6"]),
        ),
        (
            "apiServerPort",
            one_of(&[json!(0), json!(6443), json!(-1), json!(0x1_0000), json!(-2)]),
        ),
        ("apiServerAddress", words(&["127.0.0.1", "0.0.0.0", "::1"])),
        ("podSubnet", words(&pods)),
        ("serviceSubnet", words(&services)),
        ("disableDefaultCNI", one_of(&[json!(true), json!(false)])),
        (
            "kubeProxyMode",
            words(&["iptables", "ipvs", "nftables", "none", "userspace"]),
        ),
        (
            "dnsSearch",
            one_of(&[Value::Null, json!([]), json!(["a.test", "b.test"])]),
        ),
    ])
}

fn node() -> BoxedStrategy<Value> {
    let roles = ["control-plane", "control-plane", "worker", "worker", "etcd"];
    some_of(vec![
        ("role", words(&roles)),
        (
            "image",
            words(&[
                "kindest/node:v1.36.1",
                "localhost:5000/node:x",
                "node@sha256:aa",
            ]),
        ),
        (
            "labels",
            one_of(&[json!({}), json!({"tier": "front"}), json!({"number": 1})]),
        ),
        (
            "extraMounts",
            one_of(&[
                json!([]),
                json!([{"hostPath": "/a", "containerPath": "/b", "readOnly": true}]),
                json!([{"hostPath": "rel", "containerPath": "/b", "propagation": "HostToContainer"}]),
                json!([{"hostPath": "/a", "containerPath": "/b", "propagation": "Sideways"}]),
            ]),
        ),
        (
            "extraPortMappings",
            one_of(&[
                json!([{"containerPort": 80, "hostPort": -1}]),
                json!([{"containerPort": 80, "hostPort": 70000}]),
                json!([{"containerPort": 80, "protocol": "udp", "hostPort": 8080, "listenAddress": "127.0.0.1"}]),
                json!([{"containerPort": 80, "protocol": "ICMP"}]),
                json!([{"containerPort": 80, "hostPort": 8081, "listenAddress": "somewhere"}]),
            ]),
        ),
        ("kubeadmConfigPatches", patches::merge().boxed()),
        (
            "kubeadmConfigPatchesJSON6902",
            patches::operations().boxed(),
        ),
    ])
}

/// A mistake in the form of a configuration.
#[derive(Debug, Clone)]
struct Mistake {
    place: Index,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// A field that no object has.
    UnknownField,
    /// A value of another type.
    OtherType(Value),
}

fn mistake() -> impl Strategy<Value = Option<Mistake>> {
    let other = one_of(&[
        json!("text"),
        json!(["list"]),
        json!({"an": "object"}),
        json!(7),
        json!(true),
        Value::Null,
    ]);
    let kind = prop_oneof![Just(Kind::UnknownField), other.prop_map(Kind::OtherType)];
    let mistake = (any::<Index>(), kind).prop_map(|(place, kind)| Mistake { place, kind });
    proptest::option::weighted(0.25, mistake)
}

impl Mistake {
    fn make(&self, config: &mut Value) {
        let mut places = Vec::new();
        collect(
            config,
            &mut Vec::new(),
            &mut places,
            matches!(self.kind, Kind::UnknownField),
        );
        if places.is_empty() {
            return;
        }
        let pointer = format!("/{}", places[self.place.index(places.len())].join("/"));
        let pointer = if pointer == "/" { "" } else { &pointer };
        let Some(value) = config.pointer_mut(pointer) else {
            return;
        };
        match (&self.kind, value) {
            (Kind::UnknownField, Value::Object(fields)) => {
                fields.insert("nosuchfield".to_owned(), json!(1));
            }
            (Kind::OtherType(other), value) => *value = other.clone(),
            _ => {}
        }
    }
}

/// Paths of all objects, or of all values below the top.
fn collect(value: &Value, path: &mut Vec<String>, places: &mut Vec<Vec<String>>, objects: bool) {
    if objects == value.is_object() || (!objects && !path.is_empty()) {
        places.push(path.clone());
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, value)| (i.to_string(), value))
            .collect(),
        _ => return,
    };
    for (name, child) in children {
        // Maps of the user's own names have no unknown fields, and slashes would need escaping.
        let own = ["featureGates", "runtimeConfig", "labels"].contains(&name.as_str());
        if own && objects {
            continue;
        }
        path.push(name.replace('~', "~0").replace('/', "~1"));
        collect(child, path, places, objects);
        path.pop();
    }
}
