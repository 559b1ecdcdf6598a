//! Patches without effect, each by its symptom.

use kind_config::Cluster;

use super::patch_warnings;

/// What is told of the patches of a cluster.
fn told(config: &str) -> Vec<String> {
    let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
    let mut cluster = Cluster::parse(&format!("{header}{config}")).unwrap();
    cluster.set_defaults();
    let warnings = patch_warnings(&cluster).into_iter();
    warnings
        .map(|warning| format!("{} {}", warning.field, warning.reason))
        .collect()
}

/// What is told of one patch of all nodes.
fn told_of(patch: &str) -> Vec<String> {
    told(&format!(
        "nodes: [{{}}, {{role: worker}}]\nkubeadmConfigPatches: ['{patch}']\n"
    ))
}

#[test]
fn patches_that_change_something_are_not_told() {
    for patch in [
        "{kind: ClusterConfiguration, apiServer: {}}",
        "{kind: InitConfiguration, nodeRegistration: {}}",
        "{kind: JoinConfiguration, nodeRegistration: {}}",
        "{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta4, apiServer: {}}",
        "{kind: KubeletConfiguration, apiVersion: kubelet.config.k8s.io/v1beta1, maxPods: 9}",
        "{kind: KubeProxyConfiguration, metadata: {name: config}, mode: iptables}",
        "kind: [",
    ] {
        assert_eq!(told_of(patch), [""; 0], "{patch}");
    }
}

#[test]
fn patches_without_effect_are_told() {
    for (patch, reason) in [
        ("", "it is empty"),
        ("# words only", "it is empty"),
        ("{apiServer: {}}", "it has no kind"),
        (
            "{kind: clusterConfiguration, a: 1}",
            "did you mean ClusterConfiguration?",
        ),
        (
            "{kind: ClusterConfig, a: 1}",
            "no document is of the kind ClusterConfig;",
        ),
        ("{kind: Pod, a: 1}", "there are ClusterConfiguration,"),
        ("{kind: ClusterConfiguration}", "nothing that it changes"),
        (
            "{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta3, a: 1}",
            "is of kubeadm.k8s.io/v1beta4, not kubeadm.k8s.io/v1beta3",
        ),
        (
            "{kind: KubeletConfiguration, apiVersion: kubelet.config.k8s.io/v1alpha1, a: 1}",
            "not kubelet.config.k8s.io/v1alpha1",
        ),
    ] {
        let told = told_of(patch);
        assert_eq!(told.len(), 1, "{patch}: {told:?}");
        assert!(
            told[0].starts_with("kubeadmConfigPatches[0] has no effect: "),
            "{told:?}"
        );
        assert!(told[0].contains(reason), "{patch}: {told:?}");
    }
}

#[test]
fn variants_for_several_versions_side_by_side_are_meant() {
    let patches = "kubeadmConfigPatches:\n\
                   - '{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta3, a: 1}'\n\
                   - '{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta4, a: 1}'\n";
    assert_eq!(told(patches), [""; 0]);
}

#[test]
fn versions_follow_the_image() {
    let patch = "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta3, a: 1}']\n";
    for (image, count) in [
        ("kindest/node:v1.35.0", 0),
        ("kindest/node:v1.36.1", 1),
        ("my/node:latest", 0),
    ] {
        let config = format!("nodes: [{{image: \"{image}\"}}]\n{patch}");
        assert_eq!(told(&config).len(), count, "{image}");
    }
}

#[test]
fn patches_for_another_node_are_told() {
    let of_node = |role: &str, kind: &str| {
        told(&format!(
            "nodes:\n- {{}}\n- {{role: control-plane}}\n- role: {role}\n  \
             kubeadmConfigPatches: ['{{kind: {kind}, a: 1}}']\n"
        ))
    };
    for kind in [
        "ClusterConfiguration",
        "InitConfiguration",
        "KubeProxyConfiguration",
    ] {
        assert_eq!(of_node("worker", kind).len(), 1, "{kind}");
        assert_eq!(of_node("control-plane", kind), [""; 0], "{kind}");
    }
    for kind in ["JoinConfiguration", "KubeletConfiguration"] {
        assert_eq!(of_node("worker", kind), [""; 0], "{kind}");
    }
    let join = "kubeadmConfigPatches: ['{kind: JoinConfiguration, a: 1}']\n";
    assert!(told(join)[0].contains("does not join another"));
    let no_proxy = "networking: {kubeProxyMode: none}\n\
                    kubeadmConfigPatches: ['{kind: KubeProxyConfiguration, mode: ipvs}']\n";
    assert!(told(no_proxy)[0].contains("kubeProxyMode is none"));
}

#[test]
fn operations_of_another_group_or_version_are_told() {
    let of = |target: &str, patch: &str| {
        told(&format!(
            "kubeadmConfigPatchesJSON6902:\n- {{{target}, patch: '{patch}'}}\n"
        ))
    };
    let operation = "[{op: add, path: /a, value: 1}]";
    let right = "group: kubeadm.k8s.io, version: v1beta4, kind: ClusterConfiguration";
    assert_eq!(of(right, operation), [""; 0]);
    assert!(of(right, "[]")[0].contains("nothing that it changes"));
    for wrong in [
        "group: kubeadm.k8s.io, version: v1beta3, kind: ClusterConfiguration",
        "group: kubeadm.x-k8s.io, version: v1beta4, kind: ClusterConfiguration",
        "group: kubeadm.k8s.io, kind: ClusterConfiguration",
        "group: kubeadm.k8s.io, version: v1beta4",
    ] {
        assert_eq!(of(wrong, operation).len(), 1, "{wrong}");
    }
}

#[test]
fn experimental_flags_of_etcd_are_gone() {
    let of = |image: &str, etcd: &str| {
        told(&format!(
            "nodes: [{{image: \"{image}\"}}]\n\
             kubeadmConfigPatches: ['{{kind: ClusterConfiguration, etcd: {{local: {{{etcd}}}}}}}']\n"
        ))
    };
    let (old, new) = ("kindest/node:v1.36.1", "kindest/node:v1.37.0");
    let list = "extraArgs: [{name: experimental-initial-corrupt-check, value: \"true\"}]";
    let map = "extraArgs: {experimental-initial-corrupt-check: \"true\"}";
    for arguments in [list, map] {
        let told = of(new, arguments);
        assert!(
            told[0].contains("--experimental-initial-corrupt-check"),
            "{told:?}"
        );
        assert_eq!(of(old, arguments), [""; 0]);
        assert_eq!(of(new, &format!("imageTag: 3.6.5-0, {arguments}")), [""; 0]);
    }
    assert_eq!(of(new, "extraArgs: {quota-backend-bytes: \"1\"}"), [""; 0]);
}
