//! What befalls a node from outside, and what runs in it.

use std::fs;
use std::process::Command;

use crate::world::{NODE, World};

/// Ends a node at once, as a power cut does.
pub(crate) fn power_off(world: &World, node: &str) {
    if !world.engine.is_native() {
        world.engine.client(&["kill", node]).expect("kill the node");
        return;
    }
    let status = Command::new("kill")
        .args(["-KILL", &first_process(world, node)])
        .status();
    assert!(status.unwrap().success());
}

/// The first process of a native node, as the host knows it.
fn first_process(world: &World, node: &str) -> String {
    let path = world.kind.state().join("nodes").join(node).join("run.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    text.chars().filter(char::is_ascii_digit).collect()
}

/// What a program prints in the node of the shared cluster.
pub(crate) fn run_in_node(world: &World, argv: &[&str]) -> String {
    if !world.engine.is_native() {
        let exec = [&["exec", NODE], argv].concat();
        return world.engine.client(&exec).expect("exec");
    }
    let mut command = Command::new("nsenter");
    command.args(["--target", &first_process(world, NODE), "--all", "--"]);
    command.env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    let output = command.args(argv).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
