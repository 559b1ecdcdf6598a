//! What engines are called with when nodes go: one call for all nodes, as kind makes it, and with podman further
//! ones for their volumes.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Notes its calls; has the nodes `a` and `b`, and with podman a volume of `a`.
const STUB: &str = r#"#!/bin/sh
echo "$*" >> "${0%/*}/calls"
case "$*" in
"ps "*) echo other; echo tough; grep -q "^rm" "${0%/*}/calls" || printf 'a\nb\nidle\n' ;;
"stop "*idle*|"wait "*idle*) echo "no running task found" >&2; exit 1 ;;
"rm "*tough*) echo "failed to remove tough: device or resource busy" >&2 ;;
"volume ls"*) echo '[{"Name":"v1","Labels":{"a":"true"}},{"Name":"v2","Labels":{"c":"true"}},{"Name":"v3"}]' ;;
"rm "*gone*) echo "Error: No such container: gone" >&2; exit 1 ;;
"rm "*slow*)
    test "$(grep -c "^rm" "${0%/*}/calls")" -ge 2 && exit
    echo "Error: cannot remove container 6b5e as it could not be stopped: given PID did not die within timeout" >&2
    exit 125 ;;
"rm "*unwilling*)
    test "$(grep -c "^rm" "${0%/*}/calls")" -ge 2 && exit
    echo "Error response from daemon: cannot remove container \"unwilling\": could not kill container: tried to kill container, but did not receive an exit event" >&2
    exit 1 ;;
"rm "*contested*)
    test "$(grep -c "^rm" "${0%/*}/calls")" -ge 5 && { echo "Error: No such container: contested" >&2; exit 1; }
    echo "Error response from daemon: removal of container contested is already in progress" >&2
    exit 1 ;;
"rm "*endless*) echo "given PID did not die within timeout" >&2; exit 125 ;;
"rm "*stuck*) echo "Error response from daemon: could not kill" >&2; exit 1 ;;
esac
"#;

/// The calls that removing these nodes makes, and what came of it.
fn removed(flavor: Flavor, version: &str, nodes: &[&str]) -> (Vec<String>, Result<(), Error>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("engine");
    fs::write(&path, STUB).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let program = Program::new(path.to_str().unwrap());
    let nodes: Vec<_> = nodes.iter().map(|node| (*node).to_owned()).collect();
    let info = Info {
        version: version.to_owned(),
        ..Info::default()
    };
    let result = remove_nodes(flavor, &program, || Ok(info), &nodes);
    let calls = fs::read_to_string(directory.path().join("calls")).unwrap_or_default();
    (calls.lines().map(str::to_owned).collect(), result)
}

#[test]
fn docker_removes_all_in_one_call() {
    let (calls, result) = removed(Flavor::Docker, "", &["a", "b"]);
    result.unwrap();
    assert_eq!(calls, ["rm -f -v a b"]);
    assert!(removed(Flavor::Docker, "", &[]).0.is_empty());
}

#[test]
fn nodes_that_are_gone_are_no_error_and_others_are() {
    removed(Flavor::Docker, "", &["gone"]).1.unwrap();
    let error = removed(Flavor::Docker, "", &["stuck"]).1.unwrap_err();
    assert!(error.output().unwrap().contains("could not kill"));
}

#[test]
fn podman_removes_the_volumes_of_its_nodes_too() {
    let volumes = ["volume ls --format json", "volume rm --force v1"];
    let (calls, result) = removed(Flavor::Podman, "4.3.1", &["a", "b"]);
    result.unwrap();
    assert_eq!(calls[0], "rm -f -v --time=0 a b");
    assert_eq!(calls[1..], volumes);
    let (calls, _) = removed(Flavor::Podman, "3.4.4", &["a"]);
    assert_eq!(calls[0], "rm -f -v a");
    let (calls, result) = removed(Flavor::Podman, "4.3.1", &["a", "stuck"]);
    assert!(result.is_err());
    assert_eq!(
        calls[1..],
        volumes,
        "volumes go whatever became of the nodes"
    );
}

#[test]
fn nodes_whose_processes_end_slowly_are_removed_again() {
    let (calls, result) = removed(Flavor::Podman, "5.4.2", &["a", "slow"]);
    result.unwrap();
    let removal = "rm -f -v --time=0 a slow";
    assert_eq!(calls[..3], [removal, removal, "volume ls --format json"]);
    let (calls, result) = removed(Flavor::Podman, "5.4.2", &["endless"]);
    assert!(result.is_err());
    assert_eq!(
        calls.iter().filter(|call| call.starts_with("rm ")).count(),
        MAX_ATTEMPTS
    );
    let (calls, result) = removed(Flavor::Docker, "", &["a", "unwilling"]);
    result.unwrap();
    assert_eq!(calls, ["rm -f -v a unwilling"; 2]);
}

#[test]
fn nodes_that_another_command_removes_are_waited_for() {
    let (calls, result) = removed(Flavor::Docker, "", &["contested"]);
    result.unwrap();
    assert_eq!(calls.len(), 5, "{calls:?}");
}

#[test]
fn nerdctl_keeps_nodes_from_coming_back_before_it_removes_them() {
    let (calls, result) = removed(Flavor::Nerdctl, "", &["a", "gone", "b"]);
    result.unwrap();
    assert_eq!(
        calls,
        [
            "ps -a --format {{.Names}}",
            "update --restart=no a b",
            "stop a b",
            "wait a b",
            "rm -f -v a b",
            "ps -a --format {{.Names}}",
        ]
    );
    assert_eq!(removed(Flavor::Nerdctl, "", &["gone"]).0.len(), 1);
}

#[test]
fn nerdctl_removes_nodes_that_never_ran() {
    let (calls, result) = removed(Flavor::Nerdctl, "", &["idle"]);
    result.unwrap();
    assert_eq!(calls[4], "rm -f -v idle");
}

#[test]
fn nodes_that_nerdctl_does_not_remove_are_told() {
    let error = removed(Flavor::Nerdctl, "", &["a", "tough"]).1.unwrap_err();
    assert_eq!(error.to_string(), "failed to delete nodes");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.ends_with("still there: tough"), "{cause}");
    assert!(error.output().unwrap().contains("busy"));
}
