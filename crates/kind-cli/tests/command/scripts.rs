//! Scripts of others, unchanged: they come as far as the engine lets them.

use std::process::{Command, Output, Stdio};

use crate::messages::docker;
use crate::run::Stage;

/// Runs a script in a shell that finds the command as `kind`.
fn script(stage: &Stage, text: &str) -> Output {
    let kind = stage.path("bin/kind");
    if !kind.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kind"), &kind).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", stage.path("bin").display());
    let surroundings = stage.command(&[]);
    let mut command = Command::new("bash");
    command.env_clear();
    for (name, value) in surroundings.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
        .args(["-euo", "pipefail", "-c", text])
        .current_dir(surroundings.get_current_dir().unwrap())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The error of an engine that makes nothing: everything before it was understood.
const BOOM: &str = "\n\nCommand Output: boom";

/// What helm/kind-action and its like do.
#[test]
fn actions_come_to_the_engine() {
    let stage = docker().with("KIND_EXPERIMENTAL_PROVIDER", "docker");
    stage.file(
        "kind.yaml",
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n- role: worker\n",
    );
    let output = script(
        &stage,
        r#"
        kind version
        version=$(kind version | awk '{ print $2 }')
        [ "$version" = v0.33.0 ]
        args=(--name=chart-testing --wait=60s)
        args+=(--image=kindest/node:v1.36.1 --config=kind.yaml)
        kind create cluster "${args[@]}" && exit 9
        kind delete cluster --name=chart-testing
        kind get clusters | grep -qx chart-testing && exit 9
        kind create cluster -q || echo quiet failed
        "#,
    );
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(stdout(&output).ends_with("quiet failed\n"));
    for text in [
        "Creating cluster \"chart-testing\" ...\n",
        " ✗ Preparing nodes 📦 📦 \n",
        BOOM,
    ] {
        assert!(said.contains(text), "{said}");
    }
}

/// Writes the configuration of Kubernetes' own end-to-end script.
const E2E: &str = r#"
export ARTIFACTS=$PWD
cat <<EOF > "${ARTIFACTS}/kind-config.yaml"
# config for 1 control plane node and 2 workers
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: ipv4
  kubeProxyMode: iptables
  # don't pass through host search paths
  dnsSearch: []
nodes:
- role: control-plane
- role: worker
- role: worker
featureGates: {}
runtimeConfig: {}
kubeadmConfigPatches:
- |
  kind: ClusterConfiguration
  metadata:
    name: config
  apiVersion: kubeadm.k8s.io/v1beta4
  apiServer:
    extraArgs:
    - name: "v"
      value: "4"
  controllerManager:
    extraArgs:
    - name: "v"
      value: "4"
  scheduler:
    extraArgs:
    - name: "v"
      value: "4"
  ---
  kind: InitConfiguration
  apiVersion: kubeadm.k8s.io/v1beta4
  nodeRegistration:
    kubeletExtraArgs:
    - name: "v"
      value: "4"
- |
  kind: ClusterConfiguration
  metadata:
    name: config
  apiVersion: kubeadm.k8s.io/v1beta3
  apiServer:
    extraArgs:
      "v": "4"
  controllerManager:
    extraArgs:
      "v": "4"
  scheduler:
    extraArgs:
      "v": "4"
  ---
  kind: InitConfiguration
  apiVersion: kubeadm.k8s.io/v1beta3
  nodeRegistration:
    kubeletExtraArgs:
      "v": "4"
EOF
"#;

#[test]
fn the_kubernetes_end_to_end_script_comes_to_the_engine() {
    let stage = docker().with("KIND_EXPERIMENTAL_PROVIDER", "docker");
    let calls = r#"
        kind build node-image -v 1 && exit 9
        kind create cluster --image=kindest/node:latest --retain --wait=1m -v=3 \
            "--config=${ARTIFACTS}/kind-config.yaml" && exit 9
        kind export logs "${ARTIFACTS}" && exit 9
        kind delete cluster
        "#;
    let output = script(&stage, &format!("{E2E}{calls}"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for text in [
        "ERROR: error building node image: ",
        "error finding kuberoot: could not find Kubernetes source under current working directory or GOPATH=",
        " • Ensuring node image (kindest/node:latest) 🖼️  ...\n",
        BOOM,
        "ERROR: unknown cluster \"kind\"\n",
    ] {
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn the_patches_of_that_script_fit_every_kubernetes() {
    let stage = Stage::new().with("KIND_EXPERIMENTAL_PROVIDER", "docker");
    for (version, flag) in [
        ("v1.36.1", "  - name: v\n    value: \"4\"\n"),
        ("v1.33.1", "    v: \"4\"\n"),
    ] {
        let dry_run = "kind create cluster --dry-run --config=kind-config.yaml -o json";
        let text = format!("{E2E}{dry_run} --kubernetes-version {version}");
        let output = script(&stage, &text);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(plan["nodes"].as_array().unwrap().len(), 3);
        let node = &plan["nodes"][0];
        assert_eq!(node["environment"]["KIND_DNS_SEARCH"], "");
        let conf = node["files"]["/kind/kubeadm.conf"].as_str().unwrap();
        // The API server, the controller manager, the scheduler, and the kubelet of the first node.
        assert_eq!(conf.matches(flag).count(), 4, "{conf}");
        assert!(!conf.contains("metadata"), "{conf}");
    }
}

/// The shapes of upstream's own workflows and recipes.
#[test]
fn workflows_come_to_the_engine() {
    let stage = docker().with("KIND_EXPERIMENTAL_PROVIDER", "docker");
    let output = script(
        &stage,
        r#"
cat <<EOF | kind create cluster -v7 --wait 1m --retain --config=- && exit 9
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: dual
nodes:
- role: control-plane
- role: worker
EOF
kind load docker-image busybox && exit 9
for node in $(kind get nodes --name x); do exit 9; done
kind delete cluster
"#,
    );
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(BOOM), "{said}");
    let none = "ERROR: no nodes found for cluster \"kind\"";
    assert!(said.contains(none), "{said}");
}

#[test]
fn bash_completes_words_with_colons_and_equal_signs() {
    let stage = docker().with("KIND_EXPERIMENTAL_PROVIDER", "docker");
    let text = r#"
        source <(kind completion bash)
        try() {
            COMP_LINE=$1 COMP_POINT=${#1}
            _kind 2>/dev/null
            echo "${COMPREPLY[*]-}"
        }
        try 'kind get no'
        try 'kind load docker-image '
        try 'kind load docker-image kindest/node:'
        try 'kind version --output=j'
        try 'kind create cluster --config '
    "#;
    let output = script(&stage, text);
    let expected = "nodes\nbusybox:1 kindest/node:v1\nv1\njson\n\n";
    assert_eq!(stdout(&output), expected, "{}", stderr(&output));
}
