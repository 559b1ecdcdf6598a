//! Patches and what they make of documents.

use kind_config::JsonPatch;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Patches, patch_stream};

fn merge(target: Value, patch: &str) -> Result<Value, String> {
    apply(target, &[patch], &[])
}

fn apply(mut target: Value, merge: &[&str], operations: &[JsonPatch]) -> Result<Value, String> {
    let merge: Vec<String> = merge.iter().copied().map(str::to_owned).collect();
    Patches::parse("", &merge, operations)
        .and_then(|patches| patches.apply(&mut target))
        .map_err(|error| error.to_string())?;
    Ok(target)
}

fn operations(group: &str, version: &str, kind: &str, patch: &str) -> JsonPatch {
    let mut operations = JsonPatch::default();
    group.clone_into(&mut operations.group);
    version.clone_into(&mut operations.version);
    kind.clone_into(&mut operations.kind);
    patch.clone_into(&mut operations.patch);
    operations
}

fn cluster(version: &str, arguments: Value) -> Value {
    json!({
        "apiVersion": format!("kubeadm.k8s.io/{version}"),
        "kind": "ClusterConfiguration",
        "apiServer": { "certSANs": ["localhost", "127.0.0.1"], "extraArgs": arguments },
    })
}

fn kubelet() -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "evictionHard": { "nodefs.available": "0%" },
    })
}

const STREAM: &str = r#"# about the cluster
kind: ClusterConfiguration
apiVersion: kubeadm.k8s.io/v1beta2
# a comment
scheduler:
  extraArgs:
apiServer:
  certSANs: [localhost, "127.0.0.1"]
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
nodeRegistration:
  kubeletExtraArgs:
    node-ip: "172.18.0.2"
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: JoinConfiguration
nodeRegistration:
  kubeletExtraArgs:
    node-ip: "172.18.0.2"
---
"#;

#[test]
fn a_stream_without_patches_is_only_put_in_order() {
    assert_eq!(
        patch_stream(STREAM, &[], &[]).unwrap(),
        "apiServer:\n  certSANs:\n  - localhost\n  - 127.0.0.1\napiVersion: kubeadm.k8s.io/v1beta2\n\
         kind: ClusterConfiguration\nscheduler:\n  extraArgs: null\n---\n\
         apiVersion: kubeadm.k8s.io/v1beta2\nkind: InitConfiguration\nnodeRegistration:\n  \
         kubeletExtraArgs:\n    node-ip: 172.18.0.2\n---\n\
         apiVersion: kubeadm.k8s.io/v1beta2\nkind: JoinConfiguration\nnodeRegistration:\n  \
         kubeletExtraArgs:\n    node-ip: 172.18.0.2\n"
    );
}

#[test]
fn one_text_may_hold_patches_for_several_documents() {
    let patch = "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nscheduler:\n  extraArgs:\n    \
                 some-extra-arg: the-arg\n----\nkind: InitConfiguration\nnodeRegistration:\n  \
                 kubeletExtraArgs:\n    v: \"4\"\n    logging-format: json\n";
    let names = "- op: add\n  path: /apiServer/certSANs/-\n  value: my-hostname\n";
    let names = operations("kubeadm.k8s.io", "v1beta2", "ClusterConfiguration", names);
    let patched = patch_stream(STREAM, &[patch.to_owned()], &[names]).unwrap();
    let documents: Vec<&str> = patched.split("---\n").collect();
    assert!(documents[0].contains("  - 127.0.0.1\n  - my-hostname\n"));
    assert!(documents[0].ends_with("scheduler:\n  extraArgs:\n    some-extra-arg: the-arg\n"));
    assert!(
        documents[1].ends_with("    logging-format: json\n    node-ip: 172.18.0.2\n    v: \"4\"\n")
    );
    assert!(documents[2].ends_with("  kubeletExtraArgs:\n    node-ip: 172.18.0.2\n"));
}

#[test]
fn arguments_of_v1beta4_are_merged_by_name() {
    let target = || cluster("v1beta4", json!([{"name": "v", "value": "4"}]));
    for (patch, arguments, names) in [
        (
            "extraArgs: {v: \"5\", enable-x: true}\n  certSANs: [my-host, localhost]",
            json!([{"name": "v", "value": "5"}, {"name": "enable-x", "value": "true"}]),
            json!(["localhost", "127.0.0.1", "my-host"]),
        ),
        (
            "extraArgs: [{name: enable-x, value: \"true\"}]",
            json!([{"name": "v", "value": "4"}, {"name": "enable-x", "value": "true"}]),
            json!(["localhost", "127.0.0.1"]),
        ),
        (
            "extraArgs: [{name: v}]",
            json!([]),
            json!(["localhost", "127.0.0.1"]),
        ),
        (
            "extraArgs: {v: null}\n  certSANs: null",
            json!([]),
            json!(["localhost", "127.0.0.1"]),
        ),
        (
            "extraArgs: null",
            json!([{"name": "v", "value": "4"}]),
            json!(["localhost", "127.0.0.1"]),
        ),
    ] {
        let patched = merge(
            target(),
            &format!("kind: ClusterConfiguration\napiServer:\n  {patch}\n"),
        )
        .unwrap();
        assert_eq!(patched["apiServer"]["extraArgs"], arguments, "{patch}");
        assert_eq!(patched["apiServer"]["certSANs"], names, "{patch}");
    }
}

#[test]
fn kubelet_arguments_are_merged_by_name_too() {
    let target = json!({
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "InitConfiguration",
        "nodeRegistration": { "kubeletExtraArgs": [{"name": "fail-swap-on", "value": "false"}] },
    });
    let patch = "kind: InitConfiguration\nnodeRegistration:\n  kubeletExtraArgs:\n    fail-swap-on: null\n    \
                 node-ip: 1.2.3.4\n";
    assert_eq!(
        merge(target, patch).unwrap()["nodeRegistration"]["kubeletExtraArgs"],
        json!([{"name": "node-ip", "value": "1.2.3.4"}])
    );
}

#[test]
fn arguments_that_are_left_empty_change_nothing() {
    let arguments = json!([{"name": "node-ip", "value": "1.2.3.4"}]);
    for patch in [
        "kubeletExtraArgs:",
        "kubeletExtraArgs: []",
        "kubeletExtraArgs: [null]",
    ] {
        let target = json!({
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "JoinConfiguration",
            "nodeRegistration": { "kubeletExtraArgs": arguments },
        });
        let patch = format!("kind: JoinConfiguration\nnodeRegistration:\n  {patch}\n");
        let patched = merge(target, &patch).unwrap();
        assert_eq!(
            patched["nodeRegistration"]["kubeletExtraArgs"], arguments,
            "{patch}"
        );
    }
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let patched = merge(
        kubelet(),
        "kind: KubeletConfiguration\nmaxPods: 1\nmaxPods: 9\n",
    )
    .unwrap();
    assert_eq!(patched["maxPods"], 9);
    let add = "- {op: add, path: /maxPods, value: 1, value: 9}\n";
    let patch = operations("", "", "KubeletConfiguration", add);
    assert_eq!(apply(kubelet(), &[], &[patch]).unwrap()["maxPods"], 9);
}

#[test]
fn operations_that_are_left_out_change_nothing() {
    for text in ["", "# - op: add\n", "[]"] {
        let patch = operations("", "", "KubeletConfiguration", text);
        assert_eq!(
            apply(kubelet(), &[], &[patch]).unwrap(),
            kubelet(),
            "{text}"
        );
    }
}

#[test]
fn arguments_of_older_versions_are_ordinary_maps() {
    let target = || cluster("v1beta3", json!({"runtime-config": "", "v": "4"}));
    for (patch, arguments) in [
        (
            "extraArgs: {v: \"5\", x: z}",
            json!({"runtime-config": "", "v": "5", "x": "z"}),
        ),
        (
            "extraArgs: {runtime-config: null}\n  certSANs: null",
            json!({"v": "4"}),
        ),
        (
            "extraArgs: [{name: v, value: 5}, {name: runtime-config}]",
            json!({"v": "5"}),
        ),
    ] {
        let patch = format!(
            "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\napiServer:\n  {patch}\n"
        );
        let patched = merge(target(), &patch).unwrap();
        assert_eq!(patched["apiServer"]["extraArgs"], arguments, "{patch}");
        assert_eq!(
            patched["apiServer"]["certSANs"],
            json!(["localhost", "127.0.0.1"])
        );
    }
}

#[test]
fn a_flag_that_repeats_keeps_all_its_values() {
    let present = json!([{"name": "a", "value": "1"}, {"name": "v", "value": "4"}, {"name": "z", "value": "9"}]);
    let patch = "kind: ClusterConfiguration\napiServer:\n  extraArgs:\n  - {name: v, value: \"5\"}\n  \
                 - {name: b, value: x}\n  - {name: v, value: \"6\"}\n  - {name: b, value: w}\n";
    let patched = merge(cluster("v1beta4", present), patch).unwrap();
    let entries = patched["apiServer"]["extraArgs"].as_array().unwrap();
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| {
            format!(
                "{}={}",
                entry["name"].as_str().unwrap(),
                entry["value"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(entries, ["a=1", "v=5", "v=6", "z=9", "b=x", "b=w"]);
    let one = "kind: ClusterConfiguration\napiServer:\n  extraArgs: [{name: v, value: \"7\"}]\n";
    let again = merge(patched, one).unwrap();
    assert_eq!(
        again["apiServer"]["extraArgs"][1],
        json!({"name": "v", "value": "7"})
    );
    assert_eq!(again["apiServer"]["extraArgs"].as_array().unwrap().len(), 5);
}

#[test]
fn a_list_over_a_map_is_converted_or_refused() {
    let present = || cluster("v1beta3", json!({"runtime-config": "", "v": "4"}));
    let patch = |arguments: &str| {
        format!("kind: ClusterConfiguration\napiServer:\n  extraArgs: [{arguments}]\n")
    };
    let patched = merge(
        present(),
        &patch("{name: v, value: \"5\"}, {name: x, value: \"\"}"),
    );
    let expected = json!({"runtime-config": "", "v": "5", "x": ""});
    assert_eq!(patched.unwrap()["apiServer"]["extraArgs"], expected);
    let refused = merge(
        present(),
        &patch("{name: x, value: a}, {name: x, value: b}"),
    );
    assert!(refused.unwrap_err().ends_with(
        "apiServer.extraArgs: the nodes' kubeadm has a map here, which holds one value of x only"
    ));
}

/// kind drops such a patch without a word (quirk "explicit v1beta4 + map-form extraArgs dropped").
#[test]
fn a_map_of_arguments_for_v1beta4_is_an_error() {
    let target = cluster("v1beta4", json!([]));
    let patch = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\napiServer:\n  extraArgs: {v: \"5\"}\n";
    assert_eq!(
        merge(target, patch).unwrap_err(),
        "failed to apply patch: kubeadmConfigPatches[0] (for ClusterConfiguration): apiServer.extraArgs: kubeadm.k8s.io/v1beta4 has a \
         list of entries with name and value here"
    );
}

#[test]
fn null_removes() {
    let patched = merge(
        kubelet(),
        "kind: KubeletConfiguration\nevictionHard: null\nmaxPods: 250\n",
    )
    .unwrap();
    assert_eq!(
        patched,
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "maxPods": 250,
        })
    );
}

#[test]
fn patches_for_other_documents_change_nothing() {
    for patch in [
        "kind: Deployment\nx: 1\n",
        "x: 1\n",
        "apiVersion: kubelet.config.k8s.io/v1beta1\nx: 1\n",
        "apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\nx: 1\n",
        "# nothing\n",
        "",
    ] {
        assert_eq!(merge(kubelet(), patch).unwrap(), kubelet(), "{patch}");
    }
}

#[test]
fn operations_match_by_group_version_and_kind() {
    let add = r#"[{"op": "add", "path": "/maxPods", "value": 250}]"#;
    for (group, version, applies) in [
        ("", "", true),
        ("kubelet.config.k8s.io", "v1beta1", true),
        ("", "v1beta1", false),
        ("kubelet.config.k8s.io", "", false),
    ] {
        let patch = operations(group, version, "KubeletConfiguration", add);
        let patched = apply(kubelet(), &[], &[patch]).unwrap();
        assert_eq!(
            patched.get("maxPods").is_some(),
            applies,
            "{group} {version}"
        );
    }
    let patch = operations("", "", "", add);
    assert_eq!(apply(kubelet(), &[], &[patch]).unwrap(), kubelet());
}

#[test]
fn bad_patches_are_named() {
    for (patch, problem) in [
        (
            "b o g u s",
            "failed to parse patches: kubeadmConfigPatches[0]: it must be a mapping",
        ),
        (
            "a: [",
            "failed to parse patches: kubeadmConfigPatches[0]: yaml: ",
        ),
    ] {
        let error = merge(kubelet(), patch).unwrap_err();
        assert!(error.starts_with(problem), "{error}");
    }
    for (patch, problem) in [
        (
            "- {op: remove, path: /nothing}",
            "failed to apply JSON 6902 patch: kubeadmConfigPatchesJSON6902[0] (for KubeletConfiguration): ",
        ),
        (
            "- {op: replace, path: /nothing, value: 1}",
            "failed to apply JSON 6902 patch: ",
        ),
        (
            "- {op: test, path: /kind, value: x}",
            "failed to apply JSON 6902 patch: ",
        ),
        (
            "op: remove",
            "failed to parse JSON 6902 patches: kubeadmConfigPatchesJSON6902[0]: ",
        ),
        (
            "- {op: fly, path: /kind}",
            "failed to parse JSON 6902 patches: ",
        ),
    ] {
        let patch = operations("", "", "KubeletConfiguration", patch);
        let error = apply(kubelet(), &[], &[patch]).unwrap_err();
        assert!(error.starts_with(problem), "{error}");
    }
}

/// A mapping with the keys that patches treat in special ways.
fn mapping() -> impl Strategy<Value = Value> {
    let key = "a|b|certSANs|extraArgs|kubeletExtraArgs";
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        "[a-c]".prop_map(|value| json!(value)),
        prop::collection::vec("[a-c]", 0..3).prop_map(|items| json!(items)),
    ];
    let value = leaf.prop_recursive(3, 16, 4, move |inner| {
        prop::collection::btree_map(key, inner, 0..4).prop_map(|map| json!(map))
    });
    prop::collection::btree_map(key, value, 0..4).prop_map(|map| json!(map))
}

fn document(mut fields: Value, version: &str) -> Value {
    fields["apiVersion"] = format!("kubeadm.k8s.io/{version}").into();
    fields["kind"] = "ClusterConfiguration".into();
    fields
}

fn patch_text(mut fields: Value) -> String {
    fields["kind"] = "ClusterConfiguration".into();
    fields.to_string()
}

proptest! {
    /// Errors are the same again; what applies once changes nothing the second time.
    #[test]
    fn applying_twice_is_applying_once(target in mapping(), patch in mapping(), old in any::<bool>()) {
        let target = document(target, if old { "v1beta3" } else { "v1beta4" });
        let patch = patch_text(patch);
        if let Ok(once) = merge(target, &patch) {
            prop_assert_eq!(merge(once.clone(), &patch), Ok(once));
        }
    }

    /// RFC 6902: no operations change nothing, what is added can be removed, what is there passes its test.
    #[test]
    fn operations_undo_each_other(target in mapping(), key in "[a-z~/]{1,4}", value in 0..9) {
        let target = document(target, "v1beta4");
        let run = |target: &Value, patch: &str| {
            apply(target.clone(), &[], &[operations("", "", "ClusterConfiguration", patch)])
        };
        prop_assert_eq!(run(&target, "[]"), Ok(target.clone()));
        prop_assume!(target.get(&key).is_none());
        let path = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        let add = json!({"op": "add", "path": path, "value": value});
        let test = json!({"op": "test", "path": path, "value": value});
        let remove = json!({"op": "remove", "path": path});
        let added = run(&target, &json!([add]).to_string()).unwrap();
        prop_assert_eq!(&added[&key], &json!(value));
        prop_assert_eq!(run(&added, &json!([test]).to_string()), Ok(added.clone()));
        prop_assert!(run(&target, &json!([test]).to_string()).is_err());
        prop_assert_eq!(run(&target, &json!([add, test, remove]).to_string()), Ok(target));
    }

    #[test]
    fn an_empty_patch_changes_nothing(target in mapping()) {
        let target = document(target, "v1beta4");
        prop_assert_eq!(merge(target.clone(), "kind: ClusterConfiguration\n"), Ok(target));
    }

    #[test]
    fn without_special_keys_a_patch_is_rfc_7386(target in mapping(), patch in mapping()) {
        let plain = |value: &Value| -> Value {
            let text = value.to_string().replace("certSANs", "c").replace("xtraArgs", "x");
            serde_json::from_str(&text).unwrap()
        };
        let (target, patch) = (document(plain(&target), "v1beta4"), patch_text(plain(&patch)));
        let mut expected = target.clone();
        json_patch::merge(&mut expected, &serde_json::from_str(&patch).unwrap());
        prop_assert_eq!(merge(target, &patch), Ok(expected));
    }

    #[test]
    fn names_are_never_lost(present in prop::collection::vec("[a-e]", 0..4), added in prop::collection::vec("[a-e]", 0..4)) {
        let target = document(json!({"apiServer": {"certSANs": present}}), "v1beta3");
        let patch = patch_text(json!({"apiServer": {"certSANs": added}}));
        let patched = merge(target, &patch).unwrap();
        let names: Vec<&str> = patched["apiServer"]["certSANs"]
            .as_array().unwrap().iter().filter_map(Value::as_str).collect();
        prop_assert_eq!(&names[..present.len()], &present);
        for name in &added {
            prop_assert_eq!(names.iter().filter(|other| *other == name).count().max(1), present.iter().filter(|other| *other == name).count().max(1));
            prop_assert!(names.contains(&name.as_str()));
        }
    }
}
