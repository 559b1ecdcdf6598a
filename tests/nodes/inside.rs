//! Native nodes from the host's side: their processes, and programs run inside.

use std::fs;
use std::process::Command;

use crate::world::World;

/// The first process of a node, as the host numbers it.
pub(crate) fn first_process(world: &World, node: &str) -> String {
    let path = world.kind.state().join("nodes").join(node).join("run.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    assert!(!digits.is_empty(), "{text}");
    digits
}

/// Ends a node at once, as a power cut does.
pub(crate) fn kill(world: &World, node: &str) {
    let status = Command::new("kill")
        .args(["-KILL", &first_process(world, node)])
        .status();
    assert!(status.unwrap().success());
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
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{}{}", text(&output.stdout), text(&output.stderr))),
    }
}
