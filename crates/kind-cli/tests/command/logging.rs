//! What each `-v` shows and how, and that no secret is in it.

use serde_json::Value;

use crate::messages::docker;
use crate::run::{Answer, Stage};

/// Lines that tell their levels, and the lowest that shows them.
const LINES: [(&str, i32); 5] = [
    ("Creating cluster \"kind\" ...", 0),
    ("Image: kindest/node:v1.36.1 present locally", 1),
    ("make the node begins", 2),
    ("engine call", 4),
    ("ERROR: failed to create cluster", -1),
];

fn stage() -> Stage {
    docker().with(
        "HTTPS_PROXY",
        "http://planted-login:planted-proxy-password@proxy.test:3128",
    )
}

fn create(stage: &Stage, more: &[&str]) -> Answer {
    let create = [
        "create",
        "cluster",
        "--provider",
        "docker",
        "--image",
        "kindest/node:v1.36.1",
    ];
    stage.run(&[&create[..], more].concat())
}

#[test]
fn a_line_is_shown_from_its_level_on() {
    for level in 0..=7 {
        let answer = create(&stage(), &[&format!("-v={level}")]);
        for (line, from) in LINES {
            assert_eq!(
                answer.stderr.contains(line),
                level >= from,
                "-v {level}: {line}: {answer:#?}"
            );
        }
    }
    assert_eq!(create(&stage(), &["-q", "-v", "9"]).stderr, "");
}

#[test]
fn lines_of_the_second_level_say_when_and_where() {
    let first = create(&stage(), &["-v", "1"]).stderr;
    assert!(
        first.contains("\nDEBUG: kind] Image: kindest/node:v1.36.1 present locally\n"),
        "{first}"
    );
    let later = create(&stage(), &["-v", "4"]).stderr;
    // What is no diagnostic line is as it always was.
    assert!(
        later.contains("\nCreating cluster \"kind\" ...\n"),
        "{later}"
    );
    let of_node = later
        .lines()
        .filter(|line| line.contains("DEBUG kind-control-plane create: "));
    let of_node: Vec<_> = of_node.collect();
    assert!(
        of_node[0].ends_with("DEBUG kind-control-plane create: make the node begins"),
        "{later}"
    );
    assert!(
        of_node.iter().any(|line| line.contains("engine call")),
        "{later}"
    );
    for line in of_node {
        let time = line.split(' ').next().unwrap();
        assert_eq!(
            (time.len(), &time[10..11], &time[23..]),
            (24, "T", "Z"),
            "{line}"
        );
    }
}

#[test]
fn diagnostic_lines_are_objects_if_asked_for() {
    let answer = create(&stage(), &["-v", "4", "--log-format", "json"]);
    let (objects, words): (Vec<_>, Vec<_>) = answer
        .stderr
        .lines()
        .partition(|line| line.starts_with('{'));
    assert_eq!(words[0], "Creating cluster \"kind\" ...");
    assert!(
        !words.iter().any(|line| line.contains("DEBUG")),
        "{answer:#?}"
    );
    let objects: Vec<Value> = objects
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names = [
        "fields", "level", "message", "node", "step", "target", "time",
    ];
    for object in &objects {
        let mut keys: Vec<_> = object
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, names, "{object}");
    }
    let call = objects
        .iter()
        .find(|line| line["message"] == "engine call" && line["step"] == "create");
    let call = call.unwrap();
    assert_eq!(
        (&call["node"], &call["fields"]["program"]),
        (&"kind-control-plane".into(), &"docker".into())
    );
    // With `-o json` all lines are events already.
    let answer = create(&stage(), &["-v", "4", "--log-format", "json", "-o", "json"]);
    for line in answer.stderr.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(
            event["kind"] == "Event" || event["kind"] == "Error",
            "{line}"
        );
    }
    assert!(
        answer
            .stderr
            .contains(r#""target":"kind_engine::command_line::program""#),
        "{answer:#?}"
    );
}

/// A configuration with secrets, and a mistake beside one.
const CONFIG: &str = r#"
kind: Cluster
apiVersion: kind.x-k8s.io/v1beta1
kubeadmConfigPatches:
- |
  kind: InitConfiguration
  certificateKey: planted-certificate-key
containerdConfigPatches:
- |
  [plugins.a.auth]
  password = "planted-registry-password"
nodes:
- env:
    DB_PASSWORD: planted-variable
    URL: https://planted-login:planted-url-password@db.test/
"#;

#[test]
fn no_line_holds_a_secret() {
    let stage = stage();
    let config = stage.file("a.yaml", CONFIG);
    let broken = format!("{CONFIG}\nnodez:\n- token: planted-token\n");
    let broken = stage.file("b.yaml", &broken);
    let trace = stage.path("trace.json").display().to_string();
    for more in [
        &[][..],
        &["-o", "json"],
        &["--log-format", "json"],
        &["--timings", "--trace-file", &trace],
    ] {
        for config in [&config, &broken] {
            let answer = create(&stage, &[&["-v", "9", "--config", config], more].concat());
            assert_ne!(answer.code, 0, "{answer:#?}");
            assert!(!format!("{answer:?}").contains("planted-"), "{answer:#?}");
            if config == &broken {
                continue;
            }
            // Engines read the values of such variables from their own environment.
            let is_named = answer.stderr.contains("DB_PASSWORD");
            assert!(
                is_named && !answer.stderr.contains("DB_PASSWORD="),
                "{answer:#?}"
            );
        }
    }
    assert!(!std::fs::read_to_string(trace).unwrap().contains("planted-"));
}

#[test]
fn timings_are_shown_after_a_failure_too() {
    let stage = stage();
    let answer = create(&stage, &["--timings", "--trace-file", "-"]);
    assert!(
        answer
            .stderr
            .contains(" in all (# works, . waits, x did not end well)\nkind\n"),
        "{answer:#?}"
    );
    assert!(
        answer
            .stderr
            .contains("\nkind-control-plane\n  make the node"),
        "{answer:#?}"
    );
    let trace: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert!(trace["traceEvents"].is_array());
    let programs = create(&stage, &["--timings", "-o", "json"]);
    assert!(!programs.stderr.contains("in all"), "{programs:#?}");
}

#[test]
fn a_trace_that_cannot_be_written_is_told_before_anything_is_made() {
    let stage = stage();
    let file = stage.path("missing/trace.json").display().to_string();
    for (more, reason) in [
        (
            &["--trace-file", &file][..],
            "failed to write the trace file",
        ),
        (
            &["--trace-file", "-", "-o", "json"],
            "would both write to stdout",
        ),
    ] {
        let answer = create(&stage, more);
        assert_eq!(answer.code, 1);
        let said = answer.stderr_texts();
        assert!(said.len() == 1 && said[0].contains(reason), "{answer:#?}");
    }
    let answer = create(&stage, &["--trace-file", "/dev/stdout"]);
    assert!(answer.stdout.contains("traceEvents"), "{answer:#?}");
}
