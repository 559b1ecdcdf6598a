//! Patches as users write them, good and bad.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts of merge patches for kubeadm's documents.
pub(crate) fn merge() -> impl Strategy<Value = Value> {
    let known = prop_oneof![
        6 => (api_version(), one()).prop_map(|(version, text)| format!("{version}{text}")),
        1 => (one(), one()).prop_map(|(one, other)| format!("{one}---\n{other}")),
        1 => proptest::sample::select(BAD).prop_map(str::to_owned),
    ];
    proptest::collection::vec(known, 0..3).prop_map(|patches| json!(patches))
}

/// A patch of a document that has what it changes. Elsewhere the original writes nulls that kubeadm does
/// not take.
fn one() -> impl Strategy<Value = String> {
    let bodies = BODIES.iter().flat_map(|(kinds, bodies)| {
        let pairs = kinds
            .iter()
            .flat_map(|kind| bodies.iter().map(move |body| (kind, body)));
        pairs.map(|(kind, body)| {
            // Longer than the lines that both write.
            let body = body.replace("LONG", &["wordy"; 17].join(" "));
            format!("kind: {kind}\n{body}")
        })
    });
    proptest::sample::select(bodies.collect::<Vec<_>>())
}

/// An API version that may or may not be the one in use. None at all is the most frequent.
fn api_version() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        3 => Just(""),
        1 => Just("apiVersion: kubeadm.k8s.io/v1beta3\n"),
        1 => Just("apiVersion: kubelet.config.k8s.io/v1beta1\n"),
    ]
}

/// Patches by the documents that they fit. Map forms have one entry: their order is random in the
/// original.
const BODIES: &[(&[&str], &[&str])] = &[
    (
        &["ClusterConfiguration"],
        &[
            "apiServer:\n  extraArgs:\n    v: \"5\"\n",
            "apiServer:\n  extraArgs:\n    runtime-config: null\n",
            "apiServer:\n  certSANs: [my-host, localhost]\n",
            "apiServer:\n  certSANs: null\n",
            "controllerManager:\n  extraArgs:\n    bind-address: 0.0.0.0\n",
            "scheduler: null\n",
            "networking:\n  dnsDomain: example.test\n",
        ],
    ),
    (
        &["InitConfiguration", "JoinConfiguration"],
        &[
            "nodeRegistration:\n  kubeletExtraArgs:\n    node-labels: \"a=b\"\n",
            "nodeRegistration:\n  kubeletExtraArgs:\n    system-reserved: memory=1Gi\n",
            "nodeRegistration:\n  taints: []\n",
            "nodeRegistration:\n  taints:\n  - key: a\n    effect: NoSchedule\n",
            "metadata:\n  name: config\nskipPhases: []\n",
        ],
    ),
    (
        &["KubeletConfiguration"],
        &[
            "evictionHard: null\nmaxPods: 250\n",
            "evictionHard:\n  memory.available: 100Mi\n",
            "featureGates:\n  A: true\n",
        ],
    ),
    (
        &["KubeProxyConfiguration"],
        &["conntrack:\n  maxPerCore: 3\nmode: ipvs\n"],
    ),
    (
        &[
            "ClusterConfiguration",
            "KubeletConfiguration",
            "OtherConfiguration",
        ],
        &[
            // A block of lines at a document's end is without its last newline in the original.
            "multiline: |\n  one\n  two\ntext: 'with: colon'\n",
            "numbers: [0, -1, 1.5, 1e3, 0x10, 012]\n",
            "long: LONG\nquoted: 'a: LONG'\nwide: \"LONG\\t  LONG\"\nlist: [LONG, [LONG]]\n",
            "words: [yes, \"yes\", off, ~, 2020-01-01, \"\", \"1.0\", .5, a b]\n",
            "",
        ],
    ),
];

/// Texts that are no merge patch.
const BAD: &[&str] = &["b o g u s", "a: b: c", "- a\n- b\n", "{", "42"];

/// JSON patches for kubeadm's documents.
pub(crate) fn operations() -> impl Strategy<Value = Value> {
    let target = proptest::sample::select(
        &[
            ("kubeadm.k8s.io", "v1beta3", "ClusterConfiguration"),
            ("kubeadm.k8s.io", "v1beta4", "ClusterConfiguration"),
            ("", "", "ClusterConfiguration"),
            ("kubelet.config.k8s.io", "v1beta1", "KubeletConfiguration"),
            ("kubelet.config.k8s.io", "", "KubeletConfiguration"),
            ("", "v1beta1", "KubeletConfiguration"),
        ][..],
    );
    let patch = proptest::sample::select(OPERATIONS);
    let one = (target, patch).prop_map(|((group, version, kind), patch)| {
        json!({ "group": group, "version": version, "kind": kind, "patch": patch })
    });
    proptest::collection::vec(one, 0..2).prop_map(|patches| json!(patches))
}

const OPERATIONS: &[&str] = &[
    r#"[{"op": "add", "path": "/apiServer/certSANs/-", "value": "my-hostname"}]"#,
    "- op: add\n  path: /maxPods\n  value: 250\n",
    r#"[{"op": "replace", "path": "/clusterName", "value": "other"}]"#,
    r#"[{"op": "remove", "path": "/nothing/there"}]"#,
    r#"[{"op": "test", "path": "/kind", "value": "Nothing"}]"#,
    "not a list",
    "[]",
];

/// TOML patches for containerd.
pub(crate) fn containerd() -> impl Strategy<Value = Value> {
    let patch = proptest::sample::select(CONTAINERD);
    proptest::collection::vec(patch, 0..3).prop_map(|patches| json!(patches))
}

const CONTAINERD: &[&str] = &[
    "disabled_plugins = [\"a\", \"b\"]\n",
    "version = 3\ndisabled_plugins = [\"c\"]\n",
    "version = 2\noom_score = -999\n",
    "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/etc/containerd/certs.d\"\n",
    "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  snapshotter = 'native'\n  discard_unpacked_layers = false\n",
    "[debug]\nlevel = \"debug\"\n[timeouts]\n\"io.containerd.timeout.task.state\" = \"2s\"\n",
    "🏰",
    "",
];
