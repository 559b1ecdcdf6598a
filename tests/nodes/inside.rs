//! Nodes from the host's side: their processes, and programs run inside.

use std::fs;
use std::process::Command;

use kind_e2e::eventually;

use crate::world::World;

/// The first process of a node, as the host numbers it.
pub(crate) fn first_process(world: &World, node: &str) -> String {
    if !world.engine.is_native() {
        let arguments = ["inspect", "--format", "{{.State.Pid}}", node];
        let pid = world.engine.client(&arguments).expect("inspect");
        return pid.trim().to_owned();
    }
    let path = world.kind.state().join("nodes").join(node).join("run.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    assert!(!digits.is_empty(), "{text}");
    digits
}

/// Ends nodes at once and all together, as a power cut does: with whatever looks after them.
pub(crate) fn kill(world: &World, nodes: &[&str]) {
    if !world.engine.is_native() {
        world
            .engine
            .client(&[&["kill"], nodes].concat())
            .expect("kill");
        return;
    }
    let pids: Vec<_> = nodes
        .iter()
        .map(|node| parent(&first_process(world, node)))
        .collect();
    let status = Command::new("kill").arg("-KILL").args(&pids).status();
    assert!(status.unwrap().success());
    // Their first processes die with them; the kernel takes a moment.
    eventually("they are dead", 10, || {
        let mut alive = pids.iter().filter(|pid| is_alive(pid));
        alive.next().map_or(Ok(()), Err)
    });
}

/// The process that started this one.
fn parent(pid: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    line.unwrap().trim().to_owned()
}

/// Whether any of its threads lives: the last one takes along what the process holds.
fn is_alive(pid: &str) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return false;
    };
    !(status.contains("State:\tZ") && status.contains("Threads:\t1\n"))
}

/// Runs a shell script in a node and returns what it printed.
pub(crate) fn run(world: &World, node: &str, script: &str) -> Result<String, String> {
    let pid = first_process(world, node);
    let output = Command::new("nsenter")
        .args(["--target", &pid, "--all", "--", "/bin/sh", "-euc", script])
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{}{}", text(&output.stdout), text(&output.stderr)))
    }
}
