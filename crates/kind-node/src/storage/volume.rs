//! Volumes as the API knows them.

use std::path::Path;

use k8s_openapi::api::core::v1::{
    HostPathVolumeSource, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectReference,
    PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity,
};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::ObjectMeta;

use super::claim::Request;
use super::directory::Name;

use super::names::{BASE, PROVISIONER};

/// Where a volume tells who made it.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// The label by which volumes are bound to a node.
pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";

/// The volume for a request; `hostname` is the node's label [`HOSTNAME`].
pub(super) fn describe_volume(
    request: &Request,
    class: &StorageClass,
    hostname: &str,
) -> PersistentVolume {
    let path = Path::new(BASE).join(request.directory.as_str());
    PersistentVolume {
        metadata: ObjectMeta {
            name: Some(request.volume.clone()),
            annotations: Some([(PROVISIONED_BY.into(), PROVISIONER.into())].into()),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: Some(request.modes.clone()),
            capacity: Some([("storage".into(), request.size.clone())].into()),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".into()),
                kind: Some("PersistentVolumeClaim".into()),
                namespace: Some(request.namespace.clone()),
                name: Some(request.name.clone()),
                uid: Some(request.uid.clone()),
                ..ObjectReference::default()
            }),
            host_path: Some(HostPathVolumeSource {
                path: path.to_string_lossy().into_owned(),
                // A directory that is lost must not come back empty without a word.
                type_: Some("Directory".into()),
            }),
            node_affinity: Some(on_node(hostname)),
            persistent_volume_reclaim_policy: Some(
                class.reclaim_policy.clone().unwrap_or("Delete".into()),
            ),
            storage_class_name: Some(request.class.clone()),
            volume_mode: Some("Filesystem".into()),
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    }
}

/// Whether a volume lies on the node of that label.
pub(super) fn is_on_node(volume: &PersistentVolume, hostname: &str) -> bool {
    let spec = volume.spec.as_ref();
    spec.and_then(|spec| spec.node_affinity.as_ref()) == Some(&on_node(hostname))
}

fn on_node(hostname: &str) -> VolumeNodeAffinity {
    VolumeNodeAffinity {
        required: Some(NodeSelector {
            node_selector_terms: vec![NodeSelectorTerm {
                match_expressions: Some(vec![NodeSelectorRequirement {
                    key: HOSTNAME.into(),
                    operator: "In".into(),
                    values: Some(vec![hostname.to_owned()]),
                }]),
                match_fields: None,
            }],
        }),
    }
}

/// The directory of a volume on this node that its claim no longer needs and that is to be
/// deleted; `None` for every other volume.
pub(super) fn discarded_name(volume: &PersistentVolume, hostname: &str) -> Option<Name> {
    let annotations = volume.metadata.annotations.as_ref()?;
    let spec = volume.spec.as_ref()?;
    let phase = volume.status.as_ref()?.phase.as_deref()?;
    let discarded = annotations.get(PROVISIONED_BY)? == PROVISIONER
        && phase == "Released"
        && spec.persistent_volume_reclaim_policy.as_deref() == Some("Delete")
        && is_on_node(volume, hostname);
    let path = Path::new(&spec.host_path.as_ref()?.path);
    if !discarded || path.parent() != Some(Path::new(BASE)) {
        return None;
    }
    Name::new(path.file_name()?.to_str()?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::claim;
    use super::*;

    fn volume() -> PersistentVolume {
        let request = claim::tests::served(json!({}));
        describe_volume(&request, &StorageClass::default(), "host")
    }

    /// The volume after its claim was deleted, with one field changed.
    fn released(pointer: &str, value: Value) -> PersistentVolume {
        let mut volume = serde_json::to_value(volume()).unwrap();
        volume["status"] = json!({ "phase": "Released" });
        if !pointer.is_empty() {
            *volume.pointer_mut(pointer).unwrap() = value;
        }
        serde_json::from_value(volume).unwrap()
    }

    #[test]
    fn a_volume_says_whose_it_is_and_where() {
        let volume = serde_json::to_value(volume()).unwrap();
        let name = "pvc-11111111-2222-3333-4444-555555555555";
        let expected = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": name,
                "annotations": { "pv.kubernetes.io/provisioned-by": "rancher.io/local-path" },
            },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": { "storage": "1Gi" },
                "claimRef": {
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "default",
                    "name": "data", "uid": "11111111-2222-3333-4444-555555555555",
                },
                "hostPath": {
                    "path": format!("/var/local-path-provisioner/{name}_default_data"),
                    "type": "Directory",
                },
                "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [
                    { "key": "kubernetes.io/hostname", "operator": "In", "values": ["host"] },
                ] }] } },
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": "standard",
                "volumeMode": "Filesystem",
            },
        });
        assert_eq!(volume, expected);
    }

    #[test]
    fn a_released_volume_is_discarded_on_its_own_node() {
        let volume = released("", Value::Null);
        let name = discarded_name(&volume, "host").unwrap();
        assert!(name.as_str().ends_with("_default_data"));
        assert_eq!(discarded_name(&volume, "other"), None);
        assert!(is_on_node(&volume, "host") && !is_on_node(&volume, "other"));
    }

    #[test]
    fn every_other_volume_is_left() {
        for (pointer, value) in [
            ("/status/phase", json!("Bound")),
            ("/spec/persistentVolumeReclaimPolicy", json!("Retain")),
            (
                "/spec/hostPath/path",
                json!("/var/local-path-provisioner/../lib"),
            ),
            ("/spec/hostPath/path", json!("/var/local-path-provisioner")),
            (
                "/spec/hostPath/path",
                json!("/var/local-path-provisioner/a/b"),
            ),
            ("/spec/hostPath/path", json!("/etc/kubernetes")),
            (
                "/metadata/annotations",
                json!({ PROVISIONED_BY: "example.org/other" }),
            ),
            ("/metadata/annotations", json!(null)),
        ] {
            let volume = released(pointer, value.clone());
            assert_eq!(discarded_name(&volume, "host"), None, "{pointer} {value}");
        }
    }
}
