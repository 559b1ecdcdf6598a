//! What befalls a node from outside.

use std::fs;
use std::process::Command;

use crate::world::World;

/// Ends a node at once, as a power cut does.
pub(crate) fn power_off(world: &World, node: &str) {
    if !world.engine.is_native() {
        world.engine.client(&["kill", node]).expect("kill the node");
        return;
    }
    let path = world.kind.state().join("nodes").join(node).join("run.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let pid: String = text.chars().filter(char::is_ascii_digit).collect();
    let status = Command::new("kill").args(["-KILL", &pid]).status();
    assert!(status.unwrap().success());
}
