//! The calls that make networks and nodes, beside those that kind v0.33.0 was recorded with.
//!
//! kind makes and starts a node in one call; here a node is made first, and its files go in before it
//! starts (with nerdctl after, so that nodes tell where their program is). Networks of ours have an IPv4 subnet
//! that was asked for, found with a network that comes and goes, and nodes have addresses for life. Everything
//! else is the same.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kind_config::Cluster;
use kind_engine::command_line::{CommandLine, Flavor};
use kind_engine::{Agent, Engine, NetworkSpec};
use kind_testkit::golden::{self, CreateCase};

use super::*;

/// Notes what it is called with, and answers as the recorded engines did.
const STUB: &str = r#"#!/bin/sh
dir=${0%/*}
{ printf '%s\037' "$@"; printf '\036'; } >> "$dir/calls"
case "$*" in
info*podman) ;;
"info --format json") cat "$dir/podman-info" ;;
info*) cat "$dir/docker-info" ;;
"network inspect bridge"*) echo 1500 ;;
"network inspect kind") [ -e "$dir/made" ] || { echo "network kind not found" >&2; exit 1; }; cat "$dir/network" ;;
"network inspect "*) sed "s/\"kind\"/\"$3\"/" "$dir/network" ;;
"network create "*" kind") touch "$dir/made" ;;
"volume create "*) echo anonvol0123 ;;
"inspect --type=image"*) cat "$dir/image" ;;
esac
"#;
const NETWORK_ANSWER: &str = r#"[{"Name":"kind","name":"kind","IPAM":{"Config":[
    {"Subnet":"fc00:f853:ccd:e793::/64"},{"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}]}}]"#;
const IMAGE_ANSWER: &str =
    r#"[{"Id":"sha256:0","Config":{"Entrypoint":["/usr/local/bin/entrypoint"]}}]"#;
/// What kind's load balancers are made of.
const BALANCER_IMAGE: &str = "docker.io/envoyproxy/envoy:v1.36.2";
/// Options that have their value in the next word.
const PAIRS: [&str; 14] = [
    "--name",
    "--hostname",
    "--label",
    "--security-opt",
    "--tmpfs",
    "--volume",
    "-e",
    "--net",
    "--device",
    "-o",
    "--subnet",
    "--ip-range",
    "--ip",
    "--ip6",
];

struct Stub {
    directory: tempfile::TempDir,
    engine: CommandLine,
}

impl Stub {
    fn new(case: &CreateCase) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let cgroup = case.env.get("STUB_CG").map_or("2", String::as_str);
        let rootless = if case.rootless() {
            r#","name=rootless""#
        } else {
            ""
        };
        let driver = case
            .env
            .get("STUB_DRIVER")
            .map_or("overlay2", String::as_str);
        let limits = r#""MemoryLimit":true,"PidsLimit":true,"CPUShares":true"#;
        let info = format!(
            r#"{{"CgroupVersion":"{cgroup}",{limits},"Driver":"{driver}",
            "SecurityOptions":["name=seccomp,profile=default"{rootless}]}}"#
        );
        write("docker-info", &info);
        let info = format!(
            r#"{{"host":{{"cgroupVersion":"v{cgroup}","cgroupControllers":["memory","pids","cpu"],
            "security":{{"rootless":{}}}}},"version":{{"Version":"5.0.0"}}}}"#,
            case.rootless()
        );
        write("podman-info", &info);
        write("network", NETWORK_ANSWER);
        write("image", IMAGE_ANSWER);
        let program = write(&case.engine, STUB);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let flavor = match case.engine.as_str() {
            "podman" => Flavor::Podman,
            "nerdctl" => Flavor::Nerdctl,
            _ => Flavor::Docker,
        };
        let engine = CommandLine::new(flavor, program.to_str().unwrap());
        Self { directory, engine }
    }

    /// The calls so far, without the program's name.
    fn calls(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.directory.path().join("calls")).unwrap();
        let words = |call: &str| call.split_terminator('\u{1f}').map(str::to_owned).collect();
        text.split_terminator('\u{1e}').map(words).collect()
    }
}

/// Makes everything that the case's configuration asks for.
fn make(case: &CreateCase, stub: &Stub) {
    let mut cluster = Cluster::parse(&case.config).unwrap();
    cluster.set_defaults();
    cluster.validate().unwrap();
    let name = NETWORK.to_owned();
    let spec = NetworkSpec { name };
    let network = stub.engine.ensure_network(&spec).unwrap();
    let surroundings = Surroundings {
        network: &network,
        environment: &case.env,
        directory: Path::new("TMP"),
    };
    let plan = Plan::new(&cluster, surroundings).unwrap();
    let agent = Agent::file(stub.directory.path().join("docker-info"));
    for node in &plan.nodes {
        stub.engine.create(&node.node_spec(&plan, &agent)).unwrap();
    }
}

/// Calls that make things, each as the set of its words.
fn makers(calls: Vec<Vec<String>>) -> BTreeSet<BTreeSet<String>> {
    let makes = |call: &Vec<String>| {
        let words: Vec<_> = call.iter().take(2).map(String::as_str).collect();
        let scout = call.last().is_some_and(|word| word.contains("-subnet-"));
        matches!(
            words[..],
            ["network" | "volume", "create"] | ["run" | "create", _]
        ) && !scout
    };
    calls.into_iter().filter(makes).map(set).collect()
}

fn set(call: Vec<String>) -> BTreeSet<String> {
    let mut units = BTreeSet::new();
    let mut words = call.into_iter();
    let mut is_node = false;
    while let Some(word) = words.next() {
        is_node |= word == "run" || (word == "create" && units.is_empty());
        let unit = match word.as_str() {
            option if PAIRS.contains(&option) => {
                format!("{word} {}", words.next().unwrap_or_default())
            }
            "run" => "create".to_owned(),
            // Ours is in every node's image.
            BALANCER_IMAGE => kind_config::DEFAULT_NODE_IMAGE.to_owned(),
            // What a load balancer runs is another thing with every program.
            "bash" | "load-balancer" | "seed" if is_node => break,
            "--entrypoint" if is_node => {
                words.next();
                continue;
            }
            _ => word,
        };
        units.insert(normal(unit));
    }
    units.remove("--detach");
    let ours = [
        "--subnet 172.18.0.0/16",
        "--ip-range ",
        "--ip ",
        "--ip6 ",
        "--label io.x-k8s.kind.agent=",
    ];
    units.retain(|unit| !ours.iter().any(|option| unit.starts_with(option)));
    units
}

/// A port that was free is another one each time.
fn normal(unit: String) -> String {
    match unit
        .strip_prefix("--publish=")
        .and_then(|value| value.rsplit_once(":6443/"))
    {
        Some((listen, protocol)) => {
            let (address, _) = listen.rsplit_once(':').unwrap();
            format!("--publish={address}:PORT:6443/{protocol}")
        }
        None => unit,
    }
}

/// The words of a recorded line, which a shell would take.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, ' ') => words.push(String::new()),
            (_, character) => words.last_mut().unwrap().push(character),
        }
    }
    words
}

#[test]
fn networks_and_nodes_are_made_as_recorded() {
    let mut compared = 0;
    for case in golden::create_cases() {
        if case.nodes.is_empty() {
            continue;
        }
        let stub = Stub::new(&case);
        make(&case, &stub);
        let prefix = format!("{} ", case.engine);
        let recorded = case.read("runs.txt");
        let recorded = recorded
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix));
        let recorded = recorded.map(words).collect();
        let (ours, kinds) = (makers(stub.calls()), makers(recorded));
        let missing: Vec<_> = kinds.difference(&ours).collect();
        let surplus: Vec<_> = ours.difference(&kinds).collect();
        assert_eq!(
            ours, kinds,
            "{}: {missing:#?} is not {surplus:#?}",
            case.name
        );
        compared += 1;
    }
    assert!(compared >= 20, "{compared}");
}
