//! Input without effect, or that cannot work: `config validate` and `create` say the same of it, before anything is made.

use crate::run::{Answer, Stage};

fn stage() -> Stage {
    Stage::new().with("KIND_EXPERIMENTAL_PROVIDER", "docker")
}

/// What both commands answer to a configuration in `k.yaml`.
fn both(stage: &Stage, text: &str) -> [Answer; 2] {
    let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1beta1\n{text}");
    std::fs::write(stage.path("k.yaml"), text).unwrap();
    [
        stage.run(&["config", "validate", "k.yaml"]),
        stage.run(&[
            "create",
            "cluster",
            "--dry-run",
            "-ojson",
            "--config=k.yaml",
        ]),
    ]
}

/// All that stands on stderr.
fn told(answer: &Answer) -> String {
    answer.stderr_texts().join("\n")
}

#[test]
fn an_unknown_field_inside_a_patch_is_told_with_file_line_and_reason() {
    let text = "kubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  apiServer:\n    extraArg: {v: \"5\"}\n";
    for answer in both(&stage(), text) {
        assert_eq!(answer.code, 0, "{answer:?}");
        let told = told(&answer);
        let expected = "k.yaml:7: kubeadmConfigPatches[0]: apiServer.extraArg has no effect: ClusterConfiguration of \
                        kubeadm.k8s.io/v1beta4 has no such field; did you mean extraArgs?";
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_feature_gate_that_is_gone_is_refused_with_its_line() {
    let text = "featureGates:\n  AllAlpha: false\n  APIListChunking: true\n";
    for answer in both(&stage(), text) {
        assert_eq!(answer.code, 1, "{answer:?}");
        let told = answer.stderr;
        assert!(
            told.contains("k.yaml:5: Kubernetes 1.37 has no feature gate APIListChunking any more"),
            "{told}"
        );
    }
}

#[test]
fn a_map_of_arguments_for_v1beta4_is_refused_with_its_line() {
    let text = "kubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  apiVersion: kubeadm.k8s.io/v1beta4\n  \
                apiServer: {extraArgs: {v: \"5\"}}\n";
    for answer in both(&stage(), text) {
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(
            answer.stderr.contains("k.yaml:4: the patch is here"),
            "{answer:?}"
        );
    }
}

#[test]
fn docker_is_given_the_home_directory_for_a_tilde_and_no_mount_over_var() {
    let stage = stage();
    std::fs::create_dir(stage.path("home/x")).unwrap();
    let mount = |host: &str, container: &str| {
        format!("nodes:\n- extraMounts:\n  - {{hostPath: {host}, containerPath: {container}}}\n")
    };
    let [validated, planned] = both(&stage, &mount("~/x", "/x"));
    let home = stage.path("home/x").display().to_string();
    assert_eq!(
        planned.json()["nodes"][0]["mounts"][0]["hostPath"],
        home.as_str()
    );
    for answer in [validated, planned] {
        assert!(
            told(&answer).contains(&format!("~/x is taken for {home}")),
            "{answer:?}"
        );
    }
    for answer in both(&stage, &mount("/data", "/var")) {
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(
            answer.stderr.contains("/var holds what the node needs"),
            "{answer:?}"
        );
    }
    for answer in both(&stage, &mount("\"\"", "/data")) {
        assert!(answer.stderr.contains("hostPath is empty"), "{answer:?}");
    }
}

#[test]
fn a_proxy_on_a_loopback_address_is_told() {
    // Nothing listens there.
    let stage = stage().with("https_proxy", "http://me:secret@127.0.0.1:1");
    let [_, planned] = both(&stage, "");
    let told = told(&planned);
    assert!(
        told.contains("HTTPS_PROXY names 127.0.0.1:1, which in a node is the node itself"),
        "{told}"
    );
    assert!(!told.contains("secret"), "{told}");
    let [_, planned] = both(&stage, "networking: {disableHostProxy: true}\n");
    assert_eq!(planned.json()["nodes"][0]["environment"]["HTTPS_PROXY"], "");
    assert!(!planned.stderr.contains("127.0.0.1:1"), "{planned:?}");
}

#[test]
fn one_proxy_for_all_protocols_reaches_nodes() {
    let stage = stage().with("ALL_PROXY", "http://proxy.example:3128");
    let [_, planned] = both(&stage, "");
    let environment = &planned.json()["nodes"][0]["environment"];
    for name in ["HTTP_PROXY", "https_proxy"] {
        assert_eq!(environment[name], "http://proxy.example:3128", "{name}");
    }
}

#[test]
fn mirrors_of_a_containerd_patch_become_files() {
    let stage = stage();
    let text = "containerdConfigPatches:\n- |\n  [plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"a:1\"]\n    \
                endpoint = [\"http://b:2\"]\n";
    let _ = both(&stage, text);
    let file = "version = 3\n[plugins.\"io.containerd.cri.v1.images\".registry]\nconfig_path = \"/etc/containerd/certs.d\"\n";
    let file = stage.file("containerd.toml", file);
    let arguments = [
        "create",
        "cluster",
        "--dry-run",
        "-ojson",
        "--config=k.yaml",
        "--containerd-config",
        &file,
    ];
    let answer = stage.run(&arguments);
    let files = &answer.json()["nodes"][0]["files"];
    let path = "/etc/containerd/certs.d/a:1/hosts.toml";
    assert!(
        files[path].as_str().unwrap().contains("http://b:2"),
        "{files}"
    );
    assert!(
        told(&answer).contains(&format!("they are in {path} instead")),
        "{answer:?}"
    );
}
