//! The dry run beyond what was recorded.

use crate::run::Stage;

const DRY_RUN: [&str; 3] = ["create", "cluster", "--dry-run"];

fn stage() -> Stage {
    Stage::new().with("KIND_EXPERIMENTAL_PROVIDER", "docker")
}

fn config(text: &str) -> String {
    format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n{text}")
}

#[test]
fn people_see_the_whole_plan() {
    let stage = stage();
    let text = config("nodes: [{role: control-plane, image: \"node:v1.30.0\"}]\n");
    let arguments = [&DRY_RUN[..], &["--config=-", "--name=demo"]].concat();
    let answer = stage.run_with(&arguments, &text);
    assert_eq!(
        (answer.code, answer.stderr.as_str()),
        (0, "using docker due to KIND_EXPERIMENTAL_PROVIDER\n")
    );
    insta::assert_snapshot!(answer.stdout);
}

#[test]
fn nothing_is_made() {
    let stage = stage();
    for provider in ["docker", "native"] {
        let arguments = [&DRY_RUN[..], &["--provider", provider]].concat();
        assert_eq!(stage.run(&arguments).code, 0, "{provider}");
    }
    for name in ["state", "cache", "home/.kube"] {
        assert!(!stage.path(name).exists(), "{name}");
    }
}

#[test]
fn flags_override_the_configuration() {
    let stage = stage();
    let text = config("name: a\nnodes: [{image: x}, {role: worker, image: y}]\n");
    let flags = [
        "--config=-",
        "-nb",
        "--image=kindest/node:v1.31.2",
        "-ojson",
    ];
    let plan = stage
        .run_with(&[&DRY_RUN[..], &flags].concat(), &text)
        .json();
    assert_eq!(plan["name"], "b");
    assert_eq!(plan["images"], serde_json::json!(["kindest/node:v1.31.2"]));
    for (index, name) in ["b-control-plane", "b-worker"].into_iter().enumerate() {
        assert_eq!(plan["nodes"][index]["name"], name);
        assert_eq!(plan["nodes"][index]["kubernetesVersion"], "v1.31.2");
    }
}

#[test]
fn the_kubeconfig_names_the_published_address() {
    for (networking, server) in [
        ("{}", "https://127.0.0.1:0"),
        ("{apiServerPort: 6443}", "https://127.0.0.1:6443"),
        (
            "{apiServerAddress: 0.0.0.0, apiServerPort: 7443}",
            "https://0.0.0.0:7443",
        ),
        (
            "{ipFamily: ipv6, apiServerPort: 7443}",
            "https://[::1]:7443",
        ),
    ] {
        for nodes in ["[{}]", "[{}, {}]"] {
            let text = config(&format!("networking: {networking}\nnodes: {nodes}\n"));
            let arguments = [&DRY_RUN[..], &["--config=-", "-ojson"]].concat();
            let plan = stage().run_with(&arguments, &text).json();
            let kubeconfig = plan["kubeconfig"].as_str().unwrap();
            assert!(
                kubeconfig.contains(&format!("    server: {server}\n")),
                "{kubeconfig}"
            );
        }
    }
}

#[test]
fn a_version_that_nothing_tells_has_to_be_given() {
    let stage = stage();
    let image = ["--image", "kindest/node:latest"];
    let answer = stage.run(&[&DRY_RUN[..], &image].concat());
    assert_eq!((answer.code, answer.stdout.as_str()), (1, ""));
    assert!(
        answer.stderr.contains("--kubernetes-version"),
        "{}",
        answer.stderr
    );
    let version = ["--kubernetes-version", "1.31"];
    let answer = stage.run(&[&DRY_RUN[..], &image, &version].concat());
    assert_eq!(answer.code, 0, "{answer:#?}");
    let version = ["--kubernetes-version", "newest"];
    assert_eq!(
        stage.run(&[&DRY_RUN[..], &image, &version].concat()).code,
        1
    );
}

#[test]
fn patches_of_an_unknown_file_are_named() {
    let text = config("containerdConfigPatches: ['a = 1']\n");
    let arguments = [&DRY_RUN[..], &["--config=-", "-ojson"]].concat();
    let plan = stage().run_with(&arguments, &text).json();
    let path = "/etc/containerd/config.toml";
    assert_eq!(plan["nodes"][0]["unknownFiles"], serde_json::json!([path]));
    assert!(plan["nodes"][0]["files"].get(path).is_none());
}

#[test]
fn an_unreadable_configuration_is_told_in_kinds_words() {
    let stage = stage();
    for (path, reason) in [
        ("nope", "open nope: no such file or directory"),
        ("home", "read home: is a directory"),
    ] {
        let answer = stage.run(&[&DRY_RUN[..], &["--config", path]].concat());
        let expected = format!("ERROR: failed to create cluster: error reading file: {reason}\n");
        assert_eq!(answer.code, 1);
        assert!(answer.stderr.ends_with(&expected), "{}", answer.stderr);
    }
}

#[test]
fn a_name_that_is_too_long_is_warned_of() {
    let name = "a".repeat(51);
    let answer = stage().run(&[&DRY_RUN[..], &["--name", &name]].concat());
    let expected = format!(
        "using docker due to KIND_EXPERIMENTAL_PROVIDER\ncluster name \"{name}\" is probably too long, this \
         might not work properly on some systems\n"
    );
    assert_eq!((answer.code, answer.stderr), (0, expected));
}

#[test]
fn a_host_with_cgroup_v1_is_warned_of() {
    let stage = stage();
    stage.program(
        "docker",
        "[ \"$1\" = info ] && echo '{\"CgroupVersion\": \"1\"}'\nexit 0\n",
    );
    let answer = stage.run(&DRY_RUN);
    let expected = "using docker due to KIND_EXPERIMENTAL_PROVIDER\ncgroup v1 is deprecated in Kubernetes and \
                    will not be supported in a future kind release, please upgrade to cgroup v2\n";
    assert_eq!((answer.code, answer.stderr.as_str()), (0, expected));
}
