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
        .map(|warning| format!("{} {}", warning.place(), warning.reason))
        .collect()
}

/// A field that documents of a kind have.
fn field_of(kind: &str) -> &'static str {
    match kind {
        "ClusterConfiguration" => "clusterName",
        "KubeletConfiguration" => "maxPods",
        "KubeProxyConfiguration" => "mode",
        _ => "nodeRegistration",
    }
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
                   - '{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta3, clusterName: a}'\n\
                   - '{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta4, clusterName: a}'\n";
    assert_eq!(told(patches), [""; 0]);
}

#[test]
fn patches_that_are_dropped_beside_others_of_their_kind_are_told() {
    let right =
        "- '{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta4, clusterName: a}'\n";
    let any = "- '{kind: ClusterConfiguration, clusterName: a}'\n";
    let of = |version: &str, field: &str| {
        format!("- '{{kind: ClusterConfiguration, apiVersion: {version}, {field}: a}}'\n")
    };
    for (beside, dropped) in [
        (right, of("kubeadm.k8s.io/v1beta9", "clusterName")),
        (right, of("kubeadm.x-k8s.io/v1beta4", "clusterName")),
        (right, of("kubeadm.k8s.io/v1beta3", "imageRepository")),
        (any, of("kubeadm.k8s.io/v1beta3", "clusterName")),
    ] {
        let told = told(&format!("kubeadmConfigPatches:\n{beside}{dropped}"));
        assert_eq!(told.len(), 1, "{dropped}: {told:?}");
        assert!(
            told[0].starts_with("kubeadmConfigPatches[1] has no effect"),
            "{told:?}"
        );
    }
    let operations = "kubeadmConfigPatchesJSON6902:\n- {group: kubeadm.x-k8s.io, version: v1beta4, kind: \
                      ClusterConfiguration, patch: '[{op: add, path: /clusterName, value: a}]'}\n";
    let told = told(&format!("kubeadmConfigPatches:\n{right}{operations}"));
    assert!(
        told[0].starts_with("kubeadmConfigPatchesJSON6902[0] has no effect"),
        "{told:?}"
    );
}

#[test]
fn versions_follow_the_image() {
    let patch = "kubeadmConfigPatches: ['{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta3, clusterName: a}']\n";
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
             kubeadmConfigPatches: ['{{kind: {kind}, {}: 1}}']\n",
            field_of(kind)
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
    let operation = "[{op: add, path: /clusterName, value: a}]";
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

/// Lines of a patch of a cluster of that Kubernetes, and what is told of it.
fn told_of_lines(version: &str, lines: &str) -> Vec<String> {
    let lines: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    told(&format!(
        "nodes: [{{image: \"kindest/node:{version}\"}}]\nkubeadmConfigPatches:\n- |\n{lines}"
    ))
}

#[test]
fn unknown_fields_inside_patches_are_told_with_their_lines() {
    let cluster = "kind: InitConfiguration\nskipPhases: []\n---\nkind: ClusterConfiguration\napiServer:\n  \
                   extraArg:\n  - {name: v, value: \"5\"}\n  extraVolumes:\n  - name: a\n    hostpath: /a\n\
                   etcd: {local: {extraArgs: [], dataDirectory: /x}}\nmetadata: {name: config}\n";
    assert_eq!(
        told_of_lines("v1.37.0", cluster),
        [
            "kubeadmConfigPatches[0]:6 apiServer.extraArg has no effect: ClusterConfiguration of \
             kubeadm.k8s.io/v1beta4 has no such field; did you mean extraArgs?",
            "kubeadmConfigPatches[0]:10 apiServer.extraVolumes[].hostpath has no effect: ClusterConfiguration of \
             kubeadm.k8s.io/v1beta4 has no such field; did you mean hostPath?",
            "kubeadmConfigPatches[0]:11 etcd.local.dataDirectory has no effect: ClusterConfiguration of \
             kubeadm.k8s.io/v1beta4 has no such field",
        ]
    );
    let kubelet =
        "kind: KubeletConfiguration\nevictionHard: {anything: 1}\nmaxpods: 9\nfailCgroupV1: true\n";
    assert_eq!(
        told_of_lines("v1.30.0", kubelet),
        [
            "kubeadmConfigPatches[0]:4 failCgroupV1 has no effect: KubeletConfiguration of Kubernetes 1.30 has no \
             such field, it came with 1.31",
            "kubeadmConfigPatches[0]:3 maxpods has no effect: KubeletConfiguration of kubelet.config.k8s.io/v1beta1 \
             has no such field; did you mean maxPods?",
        ]
    );
    let proxy = "kind: KubeProxyConfiguration\nIPVS: {strictARP: true}\n";
    assert!(told_of_lines("v1.36.0", proxy)[0].contains(":2 IPVS has no effect"));
}

#[test]
fn keys_that_stand_twice_are_told_with_their_lines() {
    let patch = "kind: InitConfiguration\nskipPhases: []\n---\nkind: KubeletConfiguration\nmaxPods: 1\nmaxPods: 9\n";
    assert_eq!(
        told_of_lines("v1.36.1", patch),
        [
            "kubeadmConfigPatches[0]:6 mapping key \"maxPods\" already defined at line 2; the last one counts"
        ]
    );
}

#[test]
fn ipvs_is_leaving() {
    let patch = "kind: KubeProxyConfiguration\nmode: ipvs\n";
    assert_eq!(told_of_lines("v1.36.4", patch), [""; 0]);
    let told = told_of_lines("v1.37.0", patch);
    assert!(
        told[0].starts_with("kubeadmConfigPatches[0]:2 ipvs is deprecated"),
        "{told:?}"
    );
}

#[test]
fn fields_of_each_api_version_are_its_own() {
    let timeouts = "kind: InitConfiguration\ntimeouts: {discovery: 1m}\n";
    assert_eq!(told_of_lines("v1.36.1", timeouts), [""; 0]);
    assert_eq!(told_of_lines("v1.35.0", timeouts).len(), 1);
    // Of v1beta2 nothing is known, and of nodes of several versions nothing is said.
    assert_eq!(told_of_lines("v1.22.0", timeouts), [""; 0]);
    let mixed = "nodes: [{image: \"a:v1.35.0\"}, {image: \"a:v1.36.0\", role: worker}]\n\
                 kubeadmConfigPatches: ['{kind: InitConfiguration, timeouts: {discovery: 1m}}']\n";
    assert_eq!(told(mixed), [""; 0]);
}

#[test]
fn unknown_fields_of_operations_are_told() {
    let of = |operation: &str| {
        told(&format!(
            "kubeadmConfigPatchesJSON6902:\n- group: kubeadm.k8s.io\n  version: v1beta4\n  \
             kind: ClusterConfiguration\n  patch: '[{operation}]'\n"
        ))
    };
    for (operation, is_told) in [
        ("{op: add, path: /apiServer/certSANs/-, value: a}", false),
        (
            "{op: add, path: /apiServer/extraArgs/-, value: {name: v, value: \"5\"}}",
            false,
        ),
        ("{op: remove, path: /apiServer/nothing}", false),
        ("{op: add, path: /featureGates/Some, value: true}", false),
        ("{op: add, path: /apiServer/certSans, value: [a]}", true),
        (
            "{op: replace, path: /apiServer, value: {certSans: [a]}}",
            true,
        ),
        (
            "{op: add, path: /apiServer/extraArgs/0, value: {key: v}}",
            true,
        ),
    ] {
        assert_eq!(of(operation).len(), usize::from(is_told), "{operation}");
    }
}

#[test]
fn feature_gates_that_a_component_refuses_are_told() {
    for (version, patch, told) in [
        (
            "v1.33.0",
            "kind: KubeletConfiguration\nfeatureGates:\n  NoSuchThing: true\n  AllAlpha: false\n",
            "kubeadmConfigPatches[0]:3 what reads it does not start: no Kubernetes from 1.20",
        ),
        (
            "v1.36.0",
            "kind: ClusterConfiguration\nscheduler:\n  extraArgs:\n  - name: feature-gates\n    \
             value: AllAlpha=true,AppArmor=true\n",
            "kubeadmConfigPatches[0]:3 what reads it does not start: Kubernetes 1.36 has no feature gate AppArmor",
        ),
        (
            "v1.30.0",
            "kind: InitConfiguration\nnodeRegistration:\n  kubeletExtraArgs:\n    feature-gates: APIListChunking=false\n",
            "kubeadmConfigPatches[0]:3 what reads it does not start: feature gate APIListChunking is locked to true",
        ),
    ] {
        let found = told_of_lines(version, patch);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(told), "{found:?}");
    }
    // Gates of ClusterConfiguration are kubeadm's own.
    let own = "kind: ClusterConfiguration\nfeatureGates: {ControlPlaneKubeletLocalMode: true}\n";
    assert_eq!(told_of_lines("v1.33.0", own), [""; 0]);
}

#[test]
fn labels_that_a_patch_takes_away_are_told() {
    let of = |kind: &str, labels: &str| {
        told(&format!(
            "nodes:\n- labels: {{a: b, c: d}}\n- {{role: worker}}\nkubeadmConfigPatches:\n- |\n  kind: {kind}\n  \
             nodeRegistration:\n    kubeletExtraArgs:\n    - {{name: node-labels, value: \"{labels}\"}}\n"
        ))
    };
    assert_eq!(
        of("InitConfiguration", "c=e,x=y"),
        [
            "kubeadmConfigPatches[0]:3 node-labels replaces nodes[0].labels, and a=b is lost; write a=b,c=e,x=y here, \
             or all of them at labels"
        ]
    );
    assert_eq!(of("InitConfiguration", "a=b,c=d,x=y"), [""; 0]);
    assert_eq!(of("JoinConfiguration", "x=y"), [""; 0]);
}

#[test]
fn a_flag_that_a_later_patch_replaces_is_told() {
    let of = |second: &str| {
        told(&format!(
            "kubeadmConfigPatches:\n- '{{kind: ClusterConfiguration, apiServer: {{extraArgs: {{v: \"4\"}}}}}}'\n- \
             '{{kind: ClusterConfiguration, {second}}}'\n"
        ))
    };
    assert_eq!(
        of("apiServer: {extraArgs: [{name: v, value: \"5\"}]}"),
        ["kubeadmConfigPatches[1]:1 v replaces the value of kubeadmConfigPatches[0]"]
    );
    assert_eq!(of("apiServer: {extraArgs: {v: \"4\", x: y}}"), [""; 0]);
    assert_eq!(of("scheduler: {extraArgs: {v: \"5\"}}"), [""; 0]);
}

#[test]
fn a_kubelet_that_does_not_look_where_kubeadm_writes_is_told() {
    let patch = |path: &str| format!("kind: KubeletConfiguration\nstaticPodPath: {path}\n");
    let found = told_of_lines("v1.36.0", &patch("/etc/kubernetes/manifest"));
    assert_eq!(found.len(), 1, "{found:?}");
    let told = "kubeadmConfigPatches[0]:2 no control plane starts: kubeadm writes its pods to /etc/kubernetes/manifests";
    assert!(found[0].starts_with(told), "{found:?}");
    for path in ["/etc/kubernetes/manifests", "/etc/kubernetes/manifests/"] {
        assert_eq!(told_of_lines("v1.36.0", &patch(path)), [""; 0]);
    }
}
