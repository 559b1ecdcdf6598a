//! Several processes at one kubeconfig at once.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::run::Stage;

/// An engine with a running control plane for every cluster that it is asked for; asked for all, it has
/// the clusters `one` and `two`.
const CLUSTERS: &str = r#"
case "$1 $2" in
"-v ") echo 'Docker version 27.0.0, build 1' ;;
"info --format") echo '{"CgroupVersion":"2","CgroupDriver":"systemd","MemoryLimit":true,"PidsLimit":true,"CPUShares":true}' ;;
"ps -a")
    for word; do
        case $word in
        label=io.x-k8s.kind.cluster=*) echo "${word##*=}" ;;
        label=io.x-k8s.kind.cluster) echo one; echo two ;;
        esac
    done ;;
"inspect --type=container")
    shift 2
    comma=
    printf '['
    for name; do
        port='"6443/tcp":[{"HostIp":"127.0.0.1","HostPort":"6443"}]'
        labels="\"io.x-k8s.kind.cluster\":\"$name\",\"io.x-k8s.kind.role\":\"control-plane\""
        printf '%s{"Name":"/%s-control-plane","Config":{"Image":"node:1","Labels":{%s}},' "$comma" "$name" "$labels"
        printf '"State":{"Status":"running"},"HostConfig":{"NetworkMode":"kind","PortBindings":{%s}},' "$port"
        printf '"NetworkSettings":{"Ports":{%s},"Networks":{"kind":{"IPAddress":"172.18.0.2"}}}}' "$port"
        comma=,
    done
    printf ']' ;;
"exec "*)
    case $* in
    *"images import"*)
        # A slow disk.
        for part in 1 2 3; do
            /usr/bin/head -c 2000000 >/dev/null
            /usr/bin/sleep 1
        done
        /usr/bin/cat >/dev/null ;;
    *"config dump"*)
        printf '=== machine\nx86_64\n=== config\nversion = 3\n'
        printf '[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "overlayfs"\n' ;;
    esac ;;
"rm "*)
    if [ -e "${0%/*}/stubborn" ]; then
        echo 'Error: device or resource busy' >&2
        exit 1
    fi ;;
"inspect --type=image") echo '[{"Id":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}]' ;;
"images --format") printf 'busybox:1\nkindest/node:v1\n' ;;
"cp "*:/etc/kubernetes/admin.conf) exec /usr/bin/tar -C "${0%/*}" -c admin.conf ;;
"cp "*) exec /usr/bin/tar -c -T /dev/null ;;
esac
exit 0
"#;

const ADMIN: &str = "\
apiVersion: v1
clusters: [{name: kubernetes, cluster: {server: 'https://node:6443'}}]
contexts: [{name: a, context: {cluster: kubernetes, user: admin}}]
current-context: a
kind: Config
users: [{name: admin, user: {}}]
";

/// A kubeconfig that somebody has written by hand.
const MINE: &str = "\
# work; do not touch
apiVersion: v1
kind: Config
clusters:
- name: prod   # expensive
  cluster: {server: https://prod.example, pin: 0123}
contexts:
- {name: prod, context: {cluster: prod, user: me}}
users:
- name: me
  user:
    token: 012345
";

/// A stage with that engine.
pub(crate) fn clusters() -> Stage {
    let stage = Stage::new();
    stage.program("docker", CLUSTERS);
    fs::write(stage.path("bin/admin.conf"), ADMIN).unwrap();
    stage
}

fn start(stage: &Stage, line: &str) -> Child {
    let mut arguments = vec!["--provider", "docker"];
    arguments.extend(line.split(' '));
    let mut command = stage.command(&arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs all of these at once. On a slow disk a turn may come too late; that is told, and tried again.
fn at_once(stage: &Stage, lines: &[String]) {
    let mut left: Vec<_> = lines.iter().collect();
    for _ in 0..9 {
        let children: Vec<_> = left.iter().map(|line| start(stage, line)).collect();
        let mut late = Vec::new();
        for (child, line) in children.into_iter().zip(left) {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                assert!(
                    said.contains("failed to lock config file"),
                    "{line}: {said}"
                );
                late.push(line);
            }
        }
        left = late;
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn of_many_processes_none_loses_what_another_writes() {
    let stage = clusters();
    let file = stage.file("config", MINE);
    let export = |n: usize| format!("export kubeconfig --kubeconfig {file} --name c{n}");
    let delete = |n: usize| format!("delete cluster --kubeconfig {file} --name c{n}");
    at_once(&stage, &(0..8).map(export).collect::<Vec<_>>());
    let merged = fs::read_to_string(&file).unwrap();
    for n in 0..8 {
        // A cluster, a context with its two names, and a user.
        let name = format!("kind-c{n}");
        let lines = merged.lines().filter(|line| {
            let words = line.split([' ', ',', '{', '}']);
            words.into_iter().any(|word| word == name) && !line.starts_with("current-context")
        });
        assert!(lines.count() >= 3, "{name} is lost: {merged}");
    }
    // Half of them go while others come.
    let mixed: Vec<_> = (0..4).map(delete).chain((8..12).map(export)).collect();
    at_once(&stage, &mixed);
    let rest: Vec<_> = (4..12).map(delete).collect();
    for line in MINE.lines() {
        assert!(fs::read_to_string(&file).unwrap().contains(line), "{line}");
    }
    let merged = fs::read_to_string(&file).unwrap();
    for n in 0..12 {
        let there = merged.contains(&format!("name: kind-c{n}\n"));
        assert_eq!(there, n >= 4, "kind-c{n}: {merged}");
    }
    at_once(&stage, &rest);
    assert_eq!(fs::read_to_string(&file).unwrap(), MINE);
    let beside = fs::read_dir(stage.path("")).unwrap().flatten();
    let left: Vec<_> = beside
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with("config."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_lock_that_stays_is_told_after_two_seconds() {
    let stage = clusters();
    let file = stage.file("config", MINE);
    let lock = stage.file("config.lock", "");
    let begun = Instant::now();
    let answer = stage.run(&[
        "--provider=docker",
        "export",
        "kubeconfig",
        "--kubeconfig",
        &file,
    ]);
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert_eq!(answer.code, 1);
    let error = format!(
        "ERROR: failed to lock config file: open {lock}: file exists\n\nhint: another program"
    );
    assert!(answer.stderr.starts_with(&error), "{}", answer.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), MINE);
    assert!(fs::exists(&lock).unwrap(), "the lock is not ours");
}

/// A client that knows nothing of owners gives its lock back while ours waits.
#[test]
fn a_lock_of_another_program_is_waited_for() {
    let stage = clusters();
    let file = stage.file("config", MINE);
    let lock = stage.file("config.lock", "");
    let mut child = start(&stage, &format!("export kubeconfig --kubeconfig {file}"));
    std::thread::sleep(Duration::from_millis(300));
    fs::remove_file(lock).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("name: kind-kind\n")
    );
}
