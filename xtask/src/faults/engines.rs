//! What is done to engines: to daemons that were started for this alone, and to ways to them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kind_e2e::Engine;

use super::fault::Prepared;
use super::ground::Ground;
use crate::Failure;
use crate::shell;

/// How long a node is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// A network that is nobody's, and a part of it that leads elsewhere.
const SUBNET: &str = "172.30.0.0/16";
const ROUTED: &str = "172.30.128.0/17";

/// The daemon hangs from the moment on when a node runs, until the value goes.
pub(super) fn daemon_hangs(ground: &Ground, command: Command) -> Result<Prepared, Failure> {
    signal_in_creation(ground, "STOP");
    let engine = Arc::clone(&ground.engine);
    Ok(Prepared {
        command,
        held: Box::new(AtEnd(move || engine.signal("CONT"))),
    })
}

/// The daemon is killed when a node runs, and started again when the value goes.
pub(super) fn daemon_dies(ground: &Ground, command: Command) -> Result<Prepared, Failure> {
    signal_in_creation(ground, "KILL");
    let engine = Arc::clone(&ground.engine);
    Ok(Prepared {
        command,
        held: Box::new(AtEnd(move || engine.restart())),
    })
}

/// Sends the daemon a signal as soon as a node runs.
fn signal_in_creation(ground: &Ground, signal: &'static str) {
    let engine = Arc::clone(&ground.engine);
    thread::spawn(move || {
        let deadline = Instant::now() + PATIENCE;
        while !has_node(&engine) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(100));
        }
        // What is not sent shows in the verdict.
        let _ = engine.signal(signal);
    });
}

fn has_node(engine: &Engine) -> bool {
    let label = "label=io.x-k8s.kind.cluster";
    let running = engine.client(&["ps", "--quiet", "--filter", label]);
    !running.stdout.trim().is_empty()
}

/// The client sleeps from the first node that it is to make on.
pub(super) fn client_sleeps(ground: &Ground, mut command: Command) -> Result<Prepared, Failure> {
    let directory = ground.directory.join("sleeping");
    fs::create_dir_all(&directory)?;
    let mark = directory.join("asleep");
    let _ = fs::remove_file(&mark);
    let path = std::env::var("PATH")?;
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = create ] && : >{mark}\n[ -e {mark} ] && exec sleep 600\nPATH={path} exec docker \"$@\"\n",
        mark = mark.display()
    );
    let client = directory.join("docker");
    fs::write(&client, script)?;
    fs::set_permissions(&client, fs::Permissions::from_mode(0o755))?;
    command.env("PATH", format!("{}:{path}", directory.display()));
    Ok(Prepared {
        command,
        held: Box::new(()),
    })
}

/// The network is not one that a kind has made, and the host has a route that takes half of it away.
pub(super) fn network_routed(ground: &Ground, command: Command) -> Result<Prepared, Failure> {
    let engine = Arc::clone(&ground.engine);
    engine.client(&["network", "rm", "kind"]);
    engine.client(&["network", "create", "--subnet", SUBNET, "kind"]);
    let ip = |arguments: &[&str]| shell::output(Command::new("ip").args(arguments));
    ip(&["route", "add", ROUTED, "dev", "lo"])?;
    Ok(Prepared {
        command,
        held: Box::new(AtEnd(move || {
            engine.client(&["network", "rm", "kind"]);
            let removed = Command::new("ip").args(["route", "del", ROUTED]).status();
            removed.map(drop).map_err(|error| error.to_string())
        })),
    })
}

/// Something that is done when this value goes.
struct AtEnd<F: FnMut() -> Result<(), String>>(F);

impl<F: FnMut() -> Result<(), String>> Drop for AtEnd<F> {
    fn drop(&mut self) {
        if let Err(error) = self.0() {
            shell::say(&error);
        }
    }
}
