//! Messages that scripts look for, where they are written, and exit codes.

use crate::kubeconfig::clusters;
use crate::run::Stage;

/// An engine without any containers, which has no image but `here`, and where nothing can be made.
pub(crate) const EMPTY_DOCKER: &str = r#"
case "$1 $2" in
"-v ") echo 'Docker version 27.0.0, build 1' ;;
"info --format") echo '{"CgroupVersion":"2","CgroupDriver":"systemd","MemoryLimit":true,"PidsLimit":true,"CPUShares":true}' ;;
"inspect --type=image"|"image inspect")
    case "$*" in
    *absent*) echo 'Error: No such image' >&2; exit 1 ;;
    *) echo '[{"Id":"sha256:0000000000000000000000000000000000000000000000000000000000000000","Config":{}}]' ;;
    esac
    ;;
"images --format") printf 'busybox:1\nkindest/node:v1\n<none>:<none>\n' ;;
"network inspect") echo '[{"Name":"kind","IPAM":{"Config":[{"Subnet":"172.18.0.0/16"},{"Subnet":"fc00:f853:ccd:e793::/64"}]}}]' ;;
"create "*|"run "*) echo boom; exit 125 ;;
esac
exit 0
"#;

/// A stage with that engine, chosen by a flag so that nothing is said about the choice.
pub(crate) fn docker() -> Stage {
    let stage = Stage::new();
    stage.program("docker", EMPTY_DOCKER);
    std::fs::write(stage.path("agent"), "").unwrap();
    stage
}

/// Runs the command on an engine without containers.
fn run(line: &str) -> (i32, String, String) {
    let words: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let answer = docker().run(&[&["--provider", "docker"], words.as_slice()].concat());
    (answer.code, answer.stdout, answer.stderr)
}

#[test]
fn where_nothing_is() {
    let no_control_plane = "ERROR: could not locate any control plane nodes for cluster named 'kind'. Use the --name \
                            option to select a different cluster\n";
    for (line, code, stderr) in [
        ("get clusters", 0, "No kind clusters found.\n"),
        (
            "get nodes",
            0,
            "No kind nodes found for cluster \"kind\".\n",
        ),
        (
            "get nodes --name x",
            0,
            "No kind nodes found for cluster \"x\".\n",
        ),
        (
            "get nodes -A --name x",
            0,
            "No kind nodes for any cluster.\n",
        ),
        ("get kubeconfig", 1, no_control_plane),
        ("get kubeconfig --internal", 1, no_control_plane),
        ("export kubeconfig", 1, no_control_plane),
        ("export logs --name x", 1, "ERROR: unknown cluster \"x\"\n"),
        ("delete cluster", 0, "Deleting cluster \"kind\" ...\n"),
        (
            "delete clusters a b",
            0,
            "Deleted clusters: [\"a\" \"b\"]\n",
        ),
        ("delete clusters --all", 0, "Deleted clusters: []\n"),
        ("delete clusters", 1, "ERROR: no cluster names provided\n"),
        (
            "load docker-image here",
            1,
            "ERROR: no nodes found for cluster \"kind\"\n",
        ),
        (
            "load docker-image absent:1",
            1,
            "ERROR: image: \"absent:1\" not present locally\n",
        ),
        (
            "load image-archive nope.tar",
            1,
            "ERROR: stat nope.tar: no such file or directory\n",
        ),
    ] {
        let (found, stdout, said) = run(line);
        assert_eq!((found, stdout.as_str()), (code, ""), "{line}: {said}");
        let said = said.split("\n\nhint: ").next().unwrap().trim_end();
        assert_eq!(said, stderr.trim_end(), "{line}");
    }
}

/// Runs the command on an engine with the clusters `one` and `two`.
fn run_on_clusters(stage: &Stage, line: &str) -> (i32, String, String) {
    let words = line.split(' ').collect::<Vec<_>>();
    let answer = stage.run(&[&["--provider", "docker"], words.as_slice()].concat());
    (answer.code, answer.stdout, answer.stderr)
}

#[test]
fn where_clusters_are() {
    let exists = "ERROR: failed to create cluster: node(s) already exist for a cluster with the name \"one\"\n";
    for (line, code, stdout, stderr) in [
        ("get clusters", 0, "one\ntwo\n", ""),
        ("get nodes --name one", 0, "one-control-plane\n", ""),
        (
            "get nodes -A",
            0,
            "one-control-plane\ntwo-control-plane\n",
            "",
        ),
        ("create cluster --name one", 1, "", exists),
        (
            "load docker-image here --name one --nodes two-worker",
            1,
            "",
            "ERROR: unknown node: \"two-worker\"\n",
        ),
        (
            "load image-archive a.tar --name one --nodes one-control-plane,x",
            1,
            "",
            "ERROR: unknown node: x\n",
        ),
        (
            "delete cluster --name one",
            0,
            "",
            "Deleting cluster \"one\" ...\nDeleted nodes: [\"one-control-plane\"]\n",
        ),
        (
            "delete clusters two one",
            0,
            "",
            "Deleted nodes: [\"two-control-plane\"]\nDeleted nodes: [\"one-control-plane\"]\n\
             Deleted clusters: [\"two\" \"one\"]\n",
        ),
        (
            "export kubeconfig --name one",
            0,
            "",
            "Set kubectl context to \"kind-one\"\n",
        ),
        (
            "export logs --name one logs",
            0,
            "logs\n",
            "Exporting logs for cluster \"one\" to:\n",
        ),
    ] {
        let stage = clusters();
        stage.file("a.tar", "");
        let (found, out, said) = run_on_clusters(&stage, line);
        let said = said.split("\n\nhint: ").next().unwrap().trim_end();
        assert_eq!(
            (found, out.as_str(), said),
            (code, stdout, stderr.trim_end()),
            "{line}"
        );
    }
}

#[test]
fn what_cannot_be_deleted_is_told() {
    let stage = clusters();
    std::fs::write(stage.path("bin/stubborn"), "").unwrap();
    let (code, _, said) = run_on_clusters(&stage, "delete cluster --name one");
    assert_eq!(code, 1);
    let error = "Deleting cluster \"one\" ...\nERROR: failed to delete cluster \"one\": ";
    assert!(said.starts_with(error), "{said}");
    let (code, _, said) = run_on_clusters(&stage, "delete clusters --all");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.starts_with("failed to delete cluster \"one\": "),
        "{said}"
    );
    assert!(
        said.contains("\nfailed to delete cluster \"two\": "),
        "{said}"
    );
    assert!(said.ends_with("\nDeleted clusters: []\n"), "{said}");
}

#[test]
fn quiet_means_silence() {
    for line in [
        "get clusters -q",
        "delete cluster --quiet",
        "create cluster -q",
        "-q get kubeconfig",
        "--bogus -q",
        "get clusters -qv 9",
        "-q -o json get nodes",
    ] {
        assert_eq!(run(line).2, "", "{line}");
    }
}

#[test]
fn a_failed_program_is_shown_with_its_output() {
    let (code, stdout, stderr) = run("create cluster --name a");
    assert_eq!((code, stdout.as_str()), (1, ""));
    let lines: Vec<_> = stderr.lines().collect();
    let expected = [
        "Creating cluster \"a\" ...",
        " • Ensuring node image (kindest/node:v1.37.0) 🖼️  ...",
        " ✓ Ensuring node image (kindest/node:v1.37.0) 🖼️",
        " • Preparing nodes 📦   ...",
        " ✗ Preparing nodes 📦 ",
    ];
    assert_eq!(&lines[..5], expected, "{stderr}");
    let error = stderr
        .lines()
        .find(|line| line.starts_with("ERROR: "))
        .unwrap();
    assert!(
        error.starts_with("ERROR: failed to create cluster: "),
        "{error}"
    );
    assert!(error.contains("command \"docker "), "{error}");
    assert!(
        error.ends_with("\" failed with error: exit status 125"),
        "{error}"
    );
    assert!(stderr.contains("\n\nCommand Output: boom"), "{stderr}");
    assert!(!stderr.contains("Stack Trace"), "{stderr}");
    let traced = run("create cluster --name a -v 1").2;
    assert!(traced.contains("\n\nStack Trace: \n"), "{traced}");
    assert!(
        traced.contains("DEBUG: kind] Image: kindest/node:v1.37.0@"),
        "{traced}"
    );
}

#[test]
fn the_chosen_engine_is_named() {
    for (value, expected) in [
        ("docker", "using docker due to KIND_EXPERIMENTAL_PROVIDER\n"),
        (
            "podman",
            "using podman due to KIND_EXPERIMENTAL_PROVIDER\nenabling experimental podman provider\n",
        ),
        (
            "nerdctl",
            "using nerdctl due to KIND_EXPERIMENTAL_PROVIDER\n",
        ),
        ("finch", "using finch due to KIND_EXPERIMENTAL_PROVIDER\n"),
        (
            "nerdctl.lima",
            "using nerdctl.lima due to KIND_EXPERIMENTAL_PROVIDER\n",
        ),
        (
            "rkt",
            "ignoring unknown value \"rkt\" for KIND_EXPERIMENTAL_PROVIDER\n",
        ),
    ] {
        let stage = docker().with("KIND_EXPERIMENTAL_PROVIDER", value);
        for program in ["podman", "nerdctl", "finch", "nerdctl.lima"] {
            stage.program(program, "");
        }
        let answer = stage.run(&["get", "clusters"]);
        assert_eq!(
            answer.stderr,
            format!("{expected}No kind clusters found.\n")
        );
    }
}

#[test]
fn the_environment_names_the_cluster_unless_the_flag_does() {
    let stage = docker().with("KIND_CLUSTER_NAME", "env");
    for (line, name) in [
        (&["delete", "cluster"][..], "env"),
        (&["delete", "cluster", "--name", "flag"], "flag"),
        (&["delete", "cluster", "--name="], "kind"),
    ] {
        let answer = stage.run(&[&["--provider=docker"], line].concat());
        assert_eq!(answer.stderr, format!("Deleting cluster \"{name}\" ...\n"));
    }
}

#[test]
fn sub_commands_have_to_be_named_right() {
    for group in ["build", "completion", "create", "delete", "export", "get"] {
        for line in [vec![group], vec![group, "nonsense"]] {
            let answer = Stage::new().run(&line);
            assert_eq!(answer.code, 1, "{line:?}");
            assert_eq!(answer.stderr, "ERROR: Subcommand is required\n");
            let usage = format!("Usage:\n  kind {group} [flags]\n");
            assert!(answer.stdout.contains(&usage), "{}", answer.stdout);
        }
    }
    let answer = Stage::new().run(&["load", "nonsense"]);
    let expected = "ERROR: unknown command \"nonsense\" for \"kind load\"\n";
    assert_eq!((answer.code, answer.stderr.as_str()), (1, expected));
}

#[test]
fn words_of_older_releases_are_answered() {
    for line in [
        "get kubeconfig-path",
        "build base-image",
        "create cluster --loglevel debug",
        "build node-image --kube-root=/src",
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let answer = Stage::new().run(&words);
        assert_eq!(answer.code, 1, "{line}");
        assert!(answer.stderr.contains("\n\nhint: "), "{}", answer.stderr);
    }
}

#[test]
fn results_alone_are_on_stdout() {
    let stage = docker();
    for (line, start) in [
        (&["version"][..], "kind v0.33.0 rustc"),
        (&["version", "-q"], "0.33.0\n"),
        (&["version", "-v=-1"], "0.33.0\n"),
        (&["--version"], "kind version 0.33.0\n"),
        (&["completion", "bash"], "# bash completion"),
        (&["help", "nope"], "Unknown help topic [`nope`]\nUsage:\n"),
        (&[], "kind creates and manages local Kubernetes clusters"),
    ] {
        let answer = stage.run(line);
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{line:?}");
        assert!(answer.stdout.starts_with(start), "{}", answer.stdout);
    }
}
