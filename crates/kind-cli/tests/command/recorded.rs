//! Every recorded creation of kind v0.33.0, through the dry run.

use kind_testkit::golden::{self, CreateCase};
use serde_json::Value;

use crate::run::{Answer, Stage};

/// The stage of a case: its engine is asked for and, unless a test brings one, not there.
fn stage(case: &CreateCase) -> Stage {
    let stage = Stage::new().with("KIND_EXPERIMENTAL_PROVIDER", &case.engine);
    let variables = case.env.iter();
    variables
        .filter(|(name, _)| !name.starts_with("STUB_"))
        .fold(stage, |stage, (name, value)| stage.with(name, value))
}

fn dry_run(case: &CreateCase) -> Answer {
    dry_run_on(&stage(case), case)
}

fn dry_run_on(stage: &Stage, case: &CreateCase) -> Answer {
    let containerd = stage.file("containerd.toml", &golden::read("containerd-before.toml"));
    let arguments = [
        "create",
        "cluster",
        "--dry-run",
        "-o=json",
        "--config=-",
        "--kubernetes-version",
        &case.kubernetes_version,
        "--containerd-config",
        &containerd,
    ];
    stage.run_with(&arguments, &case.config)
}

/// Where a recorded file stands.
fn path_of(file: &str) -> &'static str {
    match file {
        "kubeadm.conf" => "/kind/kubeadm.conf",
        "config.toml" => "/etc/containerd/config.toml",
        other => panic!("{other} is of no Kubernetes node"),
    }
}

/// The command's exit code and what it wrote to stderr.
fn ending(case: &CreateCase) -> (i32, String) {
    let recorded = case.read("exit-and-stderr.txt");
    let (code, stderr) = recorded.split_once('\n').unwrap();
    let code = code.strip_prefix("exit ").unwrap().parse().unwrap();
    (code, stderr.to_owned())
}

#[test]
fn every_file_of_every_node_is_the_recorded_one() {
    let mut compared = 0;
    for case in plain_cases().filter(|case| !case.nodes.is_empty()) {
        let answer = dry_run(&case);
        assert_eq!(answer.code, 0, "{}: {answer:#?}", case.name);
        compared += compare_files(&case, &answer.json());
    }
    assert!(compared >= 30, "only {compared} files were compared");
}

/// The cases whose engine is not special, and need not be there.
fn plain_cases() -> impl Iterator<Item = CreateCase> {
    golden::create_cases()
        .into_iter()
        .filter(|case| !case.rootless())
}

#[test]
fn every_kubeconfig_is_the_recorded_one() {
    for case in plain_cases().filter(|case| ending(case).0 == 0) {
        let plan = dry_run(&case).json();
        let kubeconfig = plan["kubeconfig"].as_str().unwrap();
        let expected = without_secrets(&case.read("kubeconfig.yaml"), kubeconfig);
        assert_eq!(kubeconfig, expected, "{}", case.name);
    }
}

/// A recorded kubeconfig as a dry run shows it: its data left out, and the planned server, because the
/// recording engine named the same one for every cluster.
fn without_secrets(recorded: &str, planned: &str) -> String {
    let server = planned.lines().find(|line| line.contains("server: "));
    let lines = recorded.lines().map(|line| match line.split_once(": ") {
        Some((key, _)) if key.ends_with("-data") => format!("{key}: DATA+OMITTED\n"),
        Some((key, _)) if key.ends_with("server") => format!("{}\n", server.unwrap()),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn every_container_is_made_as_it_was_recorded() {
    for case in plain_cases().filter(|case| ending(case).0 == 0) {
        let plan = dry_run(&case).json();
        let runs = case.read("runs.txt");
        for node in plan["nodes"].as_array().unwrap() {
            let start = format!(
                "{} run --name {} ",
                case.engine,
                node["name"].as_str().unwrap()
            );
            let run = runs.lines().find(|line| line.starts_with(&start)).unwrap();
            for argument in arguments(node, &case) {
                assert!(
                    run.contains(&argument),
                    "{} has no {argument}: {run}",
                    case.name
                );
            }
            let published = run.matches("--publish=").count();
            assert_eq!(
                published,
                node["ports"].as_array().unwrap().len(),
                "{}",
                case.name
            );
        }
    }
}

/// What a planned node's mounts, ports, labels and variables are on an engine's command line.
fn arguments(node: &Value, case: &CreateCase) -> Vec<String> {
    let mut arguments = Vec::new();
    for mount in node["mounts"].as_array().unwrap() {
        let [host, container] =
            ["hostPath", "containerPath"].map(|key| mount[key].as_str().unwrap());
        // The recording was made in another directory.
        let host = host.rsplit('/').next().unwrap();
        arguments.push(format!("/{host}:{container}"));
    }
    for port in node["ports"].as_array().unwrap() {
        let mut address = port["listenAddress"].as_str().unwrap().to_owned();
        if address.contains(':') {
            address = format!("[{address}]");
        }
        let mut protocol = port["protocol"].as_str().unwrap().to_owned();
        if case.engine == "podman" {
            protocol = protocol.to_lowercase();
        }
        match port["hostPort"].as_u64().unwrap() {
            0 => {
                arguments.push(format!("--publish={address}:"));
                arguments.push(format!(":{}/{protocol}", port["containerPort"]));
            }
            host => arguments.push(format!(
                "--publish={address}:{host}:{}/{protocol}",
                port["containerPort"]
            )),
        }
    }
    for (key, value) in node["labels"].as_object().unwrap() {
        arguments.push(format!("--label {key}={}", value.as_str().unwrap()));
    }
    for (name, value) in node["environment"].as_object().unwrap() {
        arguments.push(format!("{name}={}", value.as_str().unwrap()));
    }
    // podman is given references in a longer form, and our load balancer needs no image of its own.
    if case.engine != "podman" && node["role"] != "external-load-balancer" {
        arguments.push(format!(" {}", node["image"].as_str().unwrap()));
    }
    arguments
}

#[test]
fn errors_are_the_recorded_ones() {
    let mut failed = 0;
    for case in plain_cases() {
        let (code, stderr) = ending(&case);
        let answer = dry_run(&case);
        let first = stderr.lines().next().unwrap();
        assert_eq!(
            answer.stderr_texts().first().map(String::as_str),
            Some(first),
            "{}",
            case.name
        );
        // A dry run starts nothing, so nothing that is started can fail.
        if code == 0 || case.env.contains_key("STUB_FAIL") {
            assert_eq!(answer.code, 0, "{}", case.name);
            continue;
        }
        failed += 1;
        assert_eq!(
            (answer.code, answer.stdout.as_str()),
            (code, ""),
            "{}",
            case.name
        );
        let said = answer.stderr_texts().join("\n");
        for line in stderr.lines().skip(1) {
            // Names of types are our own.
            let line = line.split(" in type ").next().unwrap();
            let line = line.trim_start_matches("ERROR: ");
            assert!(
                said.contains(line),
                "{}: {line:?} is not in {said}",
                case.name
            );
        }
    }
    assert_eq!(failed, 2);
}

/// What the case's engine says of itself, in docker's form.
fn info(case: &CreateCase) -> String {
    let version = case.env.get("STUB_CG").map_or("2", String::as_str);
    format!(
        r#"{{"CgroupVersion": "{version}", "CgroupDriver": "systemd", "MemoryLimit": true, "PidsLimit": true,
            "CPUShares": true, "SecurityOptions": ["name=rootless"]}}"#
    )
}

#[test]
fn facts_come_from_an_engine_that_answers() {
    let cases = golden::create_cases().into_iter();
    for case in cases.filter(CreateCase::rootless) {
        let stage = stage(&case);
        stage.program(
            "docker",
            &format!("[ \"$1\" = info ] && echo '{}'\nexit 0\n", info(&case)),
        );
        let answer = dry_run_on(&stage, &case);
        let (code, stderr) = ending(&case);
        assert_eq!(answer.code, code, "{}: {answer:#?}", case.name);
        if code == 0 {
            assert_eq!(compare_files(&case, &answer.json()), 1);
        } else {
            let error = stderr.lines().last().unwrap().trim_start_matches("ERROR: ");
            assert!(
                answer.stderr_texts().join("\n").contains(error),
                "{answer:#?}"
            );
        }
    }
}

/// Compares every recorded file of a case, and returns how many there are.
fn compare_files(case: &CreateCase, plan: &Value) -> usize {
    let nodes = plan["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), case.nodes.len(), "{}", case.name);
    let mut compared = 0;
    for recorded in &case.nodes {
        let named = |node: &&Value| node["name"] == recorded.name.as_str();
        let node = nodes.iter().find(named).unwrap();
        for (file, text) in &recorded.files {
            if node["role"] == "external-load-balancer" {
                leads_to_the_same(node, file, text);
                compared += 1;
                continue;
            }
            let path = path_of(file);
            let planned = node["files"][path].as_str();
            assert_eq!(
                planned.map(golden::without_discovery),
                Some(golden::without_discovery(text)),
                "{} {} {path}",
                case.name,
                recorded.name
            );
            compared += 1;
        }
    }
    compared
}

/// Our load balancer is another program than kind's, without an image to pull. It leads to the same
/// control planes, from the same port.
fn leads_to_the_same(node: &Value, file: &str, recorded: &str) {
    let ours: Value =
        serde_json::from_str(node["files"]["/kind/load-balancer.json"].as_str().unwrap()).unwrap();
    let port = ours["port"].to_string();
    let values = |key: &str| -> Vec<String> {
        let lines = recorded.lines().map(str::trim);
        let values = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        values
            .map(|value| value.trim_matches('"').to_owned())
            .collect()
    };
    assert!(
        values("port_value")
            .iter()
            .all(|recorded| *recorded == port)
    );
    if file.starts_with("cds") {
        let members = values("address")
            .into_iter()
            .map(|name| format!("{name}:{port}"));
        assert_eq!(ours["members"], Value::from_iter(members));
    }
}
