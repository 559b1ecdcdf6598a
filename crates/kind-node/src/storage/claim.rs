//! What a claim asks for.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::directory::Name;
use super::names::PROVISIONER;

/// Where the control plane writes which provisioner is to serve a claim; before Kubernetes 1.23
/// only the second. Where both are, the first counts.
const PROVISIONER_KEYS: [&str; 2] = [
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
];
/// Where a claim may name its storage class instead; where both are, this one counts, as it does for the
/// control plane.
const CLASS_KEY: &str = "volume.beta.kubernetes.io/storage-class";
/// Where the scheduler writes on which node the claim's first pod is to run.
const NODE_KEY: &str = "volume.kubernetes.io/selected-node";

/// A volume that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    /// Name of the volume.
    pub(super) volume: String,
    pub(super) directory: Name,
    /// The claim's namespace, name and unique id.
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// Name of its storage class.
    pub(super) class: String,
    /// How the claim wants to use the volume.
    pub(super) modes: Vec<String>,
    /// How much it asks for.
    pub(super) size: Quantity,
}

/// What to do about a claim.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// It is not for this node, or not yet, or done.
    Leave,
    /// The scheduler wants its volume on this node.
    Serve(Wanted),
    /// Nobody has chosen a node: whether one is to be chosen, its class tells.
    Choose(Wanted),
}

/// The volume that a claim asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// The claim's unique id.
    pub(super) uid: String,
    /// Name of its storage class.
    pub(super) class: String,
    /// The volume, or why these volumes cannot be what the claim asks for.
    pub(super) request: Result<Box<Request>, String>,
}

/// Decides about a claim, on the node of that name.
pub(super) fn decide_claim(claim: &PersistentVolumeClaim, node: &str) -> Decision {
    let none = BTreeMap::new();
    let annotations = claim.metadata.annotations.as_ref().unwrap_or(&none);
    let provisioner = PROVISIONER_KEYS
        .iter()
        .find_map(|key| annotations.get(*key));
    let ours = provisioner.is_some_and(|name| name == PROVISIONER);
    let (Some(spec), true) = (&claim.spec, ours) else {
        return Decision::Leave;
    };
    let bound = spec
        .volume_name
        .as_ref()
        .is_some_and(|name| !name.is_empty());
    if bound || claim.metadata.deletion_timestamp.is_some() {
        return Decision::Leave;
    }
    let class = annotations
        .get(CLASS_KEY)
        .or(spec.storage_class_name.as_ref());
    let (Some(class), Some(uid)) = (class, &claim.metadata.uid) else {
        return Decision::Leave;
    };
    let wanted = Wanted {
        uid: uid.clone(),
        class: class.clone(),
        request: claim_request(claim, spec, class).map(Box::new),
    };
    match annotations.get(NODE_KEY).filter(|name| !name.is_empty()) {
        None => Decision::Choose(wanted),
        Some(selected) if selected == node => Decision::Serve(wanted),
        Some(_) => Decision::Leave,
    }
}

fn claim_request(
    claim: &PersistentVolumeClaim,
    spec: &PersistentVolumeClaimSpec,
    class: &str,
) -> Result<Request, String> {
    let modes = spec.access_modes.clone().unwrap_or_default();
    if let Some(mode) = modes.iter().find(|mode| !is_supported(mode)) {
        return Err(format!(
            "volumes on one node's disk cannot be {mode}; use ReadWriteOnce or ReadWriteOncePod"
        ));
    }
    if spec.volume_mode.as_deref() == Some("Block") {
        return Err("volumes are directories and cannot be of the mode Block".to_owned());
    }
    if spec.selector.is_some() {
        return Err("a claim for a new volume cannot select among existing ones".to_owned());
    }
    if spec.data_source.is_some() || spec.data_source_ref.is_some() {
        return Err("volumes begin empty; a data source is not supported".to_owned());
    }
    let text = |field: &Option<String>, what: &str| {
        field
            .clone()
            .ok_or_else(|| format!("the claim has no {what}"))
    };
    let namespace = text(&claim.metadata.namespace, "namespace")?;
    let name = text(&claim.metadata.name, "name")?;
    let uid = text(&claim.metadata.uid, "unique id")?;
    let volume = format!("pvc-{uid}");
    let requests = spec
        .resources
        .as_ref()
        .and_then(|needs| needs.requests.as_ref());
    let size = requests.and_then(|requests| requests.get("storage"));
    Ok(Request {
        directory: directory_name(&volume, &namespace, &name)
            .ok_or_else(|| format!("{volume:?} is no name for a directory"))?,
        class: class.to_owned(),
        size: size.cloned().ok_or("the claim asks for no storage")?,
        volume,
        namespace,
        name,
        uid,
        modes,
    })
}

/// The directory's name, which tells people whose it is, as far as a file name may be that long.
fn directory_name(volume: &str, namespace: &str, name: &str) -> Option<Name> {
    Name::new(&format!("{volume}_{namespace}_{name}")).or_else(|| Name::new(volume))
}

fn is_supported(mode: &str) -> bool {
    matches!(mode, "ReadWriteOnce" | "ReadWriteOncePod")
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A claim that waits for a volume on the node `node`, with changes merged in.
    pub(in crate::storage) fn claim(change: Value) -> PersistentVolumeClaim {
        let mut claim = json!({
            "metadata": {
                "namespace": "default", "name": "data",
                "uid": "11111111-2222-3333-4444-555555555555",
                "annotations": {
                    "volume.beta.kubernetes.io/storage-provisioner": "rancher.io/local-path",
                    "volume.kubernetes.io/selected-node": "node",
                },
            },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "standard",
                "resources": { "requests": { "storage": "1Gi" } },
            },
        });
        merge(&mut claim, change);
        serde_json::from_value(claim).unwrap()
    }

    fn merge(into: &mut Value, change: Value) {
        match (into, change) {
            (Value::Object(into), Value::Object(change)) => {
                for (key, value) in change {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
            (into, change) => *into = change,
        }
    }

    /// What is made for a claim with changes.
    pub(in crate::storage) fn served(change: Value) -> Request {
        match decide_claim(&claim(change), "node") {
            Decision::Serve(Wanted {
                request: Ok(request),
                ..
            }) => *request,
            other => panic!("not served: {other:?}"),
        }
    }

    #[test]
    fn a_waiting_claim_on_this_node_is_served() {
        let request = served(json!({}));
        assert_eq!(request.volume, "pvc-11111111-2222-3333-4444-555555555555");
        assert_eq!(
            request.directory.as_str(),
            "pvc-11111111-2222-3333-4444-555555555555_default_data"
        );
        assert_eq!(request.size, Quantity("1Gi".into()));
    }

    #[test]
    fn what_is_not_for_this_node_or_not_now_is_left() {
        let annotation =
            |key: &str, value: &str| json!({"metadata": {"annotations": {key: value}}});
        for change in [
            annotation(NODE_KEY, "other"),
            annotation(PROVISIONER_KEYS[0], "example.org/other"),
            annotation(PROVISIONER_KEYS[1], "example.org/other"),
            json!({"spec": {"storageClassName": null}}),
            json!({"metadata": {"annotations": null}}),
            json!({"spec": {"volumeName": "bound"}}),
            json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
            json!({"spec": null}),
        ] {
            assert_eq!(
                decide_claim(&claim(change.clone()), "node"),
                Decision::Leave,
                "{change}"
            );
        }
    }

    #[test]
    fn a_claim_without_a_node_asks_for_a_choice() {
        for node in [None, Some("")] {
            let mut claim = claim(json!({}));
            let annotations = claim.metadata.annotations.as_mut().unwrap();
            annotations.remove(NODE_KEY);
            annotations.extend(node.map(|node| (NODE_KEY.to_owned(), node.to_owned())));
            let Decision::Choose(wanted) = decide_claim(&claim, "node") else {
                panic!("no choice");
            };
            assert_eq!(wanted.class, "standard");
            assert!(wanted.request.is_ok());
        }
    }

    #[test]
    fn the_newer_name_of_the_annotation_counts() {
        let both = json!({"metadata": {"annotations": {
            PROVISIONER_KEYS[0]: PROVISIONER, PROVISIONER_KEYS[1]: "example.org/other",
        }}});
        assert!(matches!(
            decide_claim(&claim(both), "node"),
            Decision::Serve(_)
        ));
    }

    #[test]
    fn a_claim_names_its_class_in_either_place() {
        for (field, annotation, class) in [
            (Some("fast"), None, "fast"),
            (None, Some("old"), "old"),
            (Some("fast"), Some("old"), "old"),
        ] {
            let mut claim = claim(json!({}));
            claim.spec.as_mut().unwrap().storage_class_name = field.map(str::to_owned);
            let annotations = claim.metadata.annotations.as_mut().unwrap();
            annotations.extend(annotation.map(|name| (CLASS_KEY.to_owned(), name.to_owned())));
            let Decision::Serve(wanted) = decide_claim(&claim, "node") else {
                panic!("{field:?} {annotation:?}: not served");
            };
            assert_eq!(wanted.class, class);
            assert_eq!(wanted.request.unwrap().class, class);
        }
    }

    #[test]
    fn what_a_directory_cannot_be_is_refused() {
        for (change, word) in [
            (
                json!({"spec": {"accessModes": ["ReadWriteMany"]}}),
                "ReadWriteMany",
            ),
            (json!({"spec": {"volumeMode": "Block"}}), "Block"),
            (json!({"spec": {"selector": {}}}), "select"),
            (
                json!({"spec": {"dataSource": {"kind": "x", "name": "y"}}}),
                "data source",
            ),
            (json!({"spec": {"resources": null}}), "no storage"),
            (json!({"metadata": {"uid": "../../etc"}}), "no name"),
        ] {
            let decision = decide_claim(&claim(change.clone()), "node");
            let Decision::Serve(Wanted {
                request: Err(reason),
                ..
            }) = decision
            else {
                panic!("{change} is not refused: {decision:?}");
            };
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn long_and_hostile_names_do_not_reach_the_disk() {
        for name in ["x".repeat(253), "../../../etc".to_owned(), "a/b".to_owned()] {
            let request = served(json!({"metadata": {"name": name}}));
            assert_eq!(request.directory.as_str(), request.volume);
        }
    }
}
