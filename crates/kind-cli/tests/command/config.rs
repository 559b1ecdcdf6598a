//! `kind config`.

use std::path::Path;

use crate::run::Stage;

const HEADER: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";

#[test]
fn conversions_keep_comments() {
    let stage = Stage::new();
    let text = format!("# mine\n{HEADER}nodes: # one\n- role: control-plane\n");
    let answer = stage.run_with(&["config", "convert", "-"], &text);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    assert_eq!(answer.stdout, text.replace("v1alpha4", "v1beta1"));
    let back = stage.run_with(&["config", "convert", "--to=v1alpha4", "-"], &answer.stdout);
    assert_eq!(back.stdout, text);
    let json = stage
        .run_with(&["-o", "json", "config", "convert", "-"], &text)
        .json();
    assert_eq!(json["version"], "kind.x-k8s.io/v1beta1");
    assert_eq!(json["text"], answer.stdout);
}

#[test]
fn what_an_old_version_cannot_say_is_an_error() {
    let text = HEADER.replace("v1alpha4", "v1beta1") + "audit: {}\n";
    let answer = Stage::new().run_with(&["config", "convert", "-", "--to", "v1alpha4"], &text);
    assert_eq!((answer.code, answer.stdout.as_str()), (1, ""));
    assert_eq!(
        answer.stderr,
        "ERROR: kind.x-k8s.io/v1alpha4 cannot express audit\n\n\
         hint: stdin:3: `audit` needs `apiVersion: kind.x-k8s.io/v1beta1`\n  3 | audit: {}\n"
    );
}

#[test]
fn every_problem_is_told_with_its_place() {
    let stage = Stage::new();
    let path = stage.path("k.yaml");
    std::fs::write(
        &path,
        format!("{HEADER}nodes:\n- role: wrker\nkubeadmConfigPatches:\n- |\n  kind: X\n  a: [\n"),
    )
    .unwrap();
    let answer = stage.run(&["config", "validate", path.to_str().unwrap()]);
    assert_eq!(answer.code, 1);
    let path = path.display();
    assert_eq!(
        answer.stderr,
        format!(
            "ERROR: [[invalid configuration for node 0: \"wrker\" is not a valid node role, must have at least \
             one control-plane node], failed to make the node's configuration: failed to generate kubeadm \
             config content: failed to parse patches: kubeadmConfigPatches[0]: yaml: line 2: unclosed bracket '[']\n\n\
             hint: {path}:4: \"wrker\" is not a valid node role: did you mean `worker`?\n  4 | - role: wrker\n\
             {path}:3: must have at least one control-plane node\n  3 | nodes:\n\
             {path}:8: the patch is here\n  8 |   a: [\n"
        )
    );
}

#[test]
fn a_good_file_is_called_valid() {
    let stage = Stage::new();
    let answer = stage.run_with(&["config", "validate", "-"], HEADER);
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (0, "stdin is valid\n")
    );
    let json = stage
        .run_with(&["config", "validate", "-", "-ojson"], HEADER)
        .json();
    assert_eq!(
        (json["cluster"].as_str(), json["nodes"].as_u64()),
        (Some("kind"), Some(1))
    );
    let missing = stage.run(&["config", "validate"]);
    assert_eq!(
        (missing.code, missing.stderr.lines().next()),
        (
            1,
            Some("ERROR: the path of a config file is required, or - for stdin")
        )
    );
    let none = stage.run(&["config", "validate", "/nowhere"]);
    assert_eq!(
        none.stderr,
        "ERROR: error reading file: open /nowhere: no such file or directory\n"
    );
}

#[test]
fn defaults_and_schemas_are_printed() {
    let stage = Stage::new();
    let defaults = stage.run(&["config", "defaults"]).stdout;
    assert!(
        defaults.contains("apiVersion: kind.x-k8s.io/v1beta1\nname: kind\n"),
        "{defaults}"
    );
    assert!(
        defaults.contains("  podSubnet: 10.244.0.0/16\n"),
        "{defaults}"
    );
    let text = format!("{HEADER}networking: {{ipFamily: dual}}\n");
    let of_file = stage.run_with(&["config", "defaults", "-"], &text).stdout;
    assert!(
        of_file.contains("apiVersion: kind.x-k8s.io/v1alpha4\n"),
        "{of_file}"
    );
    assert!(
        of_file.contains("  podSubnet: 10.244.0.0/16,fd00:10:244::/56\n"),
        "{of_file}"
    );
    for version in ["v1alpha4", "v1beta1"] {
        let schema = stage.run(&["config", "schema", "--api-version", version]);
        assert_eq!(
            schema.json()["properties"]["apiVersion"]["const"],
            format!("kind.x-k8s.io/{version}")
        );
    }
    let unknown = stage.run(&["config", "schema", "--api-version=v2"]);
    assert_eq!(
        unknown.stderr,
        "ERROR: unknown apiVersion: v2, known are: v1alpha4, v1beta1\n"
    );
}

#[test]
fn every_example_can_be_checked_and_planned() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let stage = Stage::new().with("KIND_EXPERIMENTAL_PROVIDER", "docker");
        let path = path.to_str().unwrap();
        let checked = stage.run(&["config", "validate", path]);
        // Not every host has every path that an example mounts.
        let told = checked.stderr.lines();
        let told: Vec<_> = told
            .filter(|line| !line.contains("does not exist on this host"))
            .collect();
        // What is for others to reach is told, and nothing else.
        let exposed = ["networking.apiServerAddress 0.0.0.0 is not this host's alone"];
        let expected = if path.ends_with("/remote.yaml") {
            &exposed[..]
        } else {
            &[]
        };
        assert_eq!(
            (checked.code, told.len()),
            (0, expected.len()),
            "{path}: {told:?}"
        );
        let pairs = told.iter().zip(expected);
        for (line, beginning) in pairs {
            assert!(line.starts_with(beginning), "{line}");
        }
        let config = format!("--config={path}");
        let planned = stage.run(&[
            "create",
            "cluster",
            "--dry-run",
            "--kubernetes-version=v1.36.1",
            &config,
            "-ojson",
        ]);
        assert_eq!(planned.code, 0, "{path}: {}", planned.stderr);
        for node in planned.json()["nodes"].as_array().unwrap() {
            assert!(
                !node["files"].as_object().unwrap().is_empty(),
                "{path}: {node}"
            );
        }
    }
}
