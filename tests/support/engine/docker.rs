//! Docker's daemon with everything it keeps in directories of the test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Engine;
use crate::Bounds;
use crate::enclosure::DOCKER_PARENT;

/// Time for the daemon to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where every client looks first; the paths of sockets must be short.
const SOCKET: &str = "unix:///run/docker.sock";

/// A daemon that ends with its owner.
#[derive(Debug)]
pub(super) struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let deadline = Instant::now() + PATIENCE;
        while self.0.try_wait().is_ok_and(|status| status.is_none()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn start(directory: &Path, runtime: &Path) -> Result<Engine, String> {
    let text = |error: std::io::Error| error.to_string();
    let log = directory.join("dockerd.log");
    // The host's own settings are none of the test's.
    let settings = directory.join("daemon.json");
    fs::write(&settings, "{}").map_err(text)?;
    let output = File::create(&log).map_err(text)?;
    let mut command = command(directory, &settings, runtime);
    command.stdin(Stdio::null());
    command
        .stdout(output.try_clone().map_err(text)?)
        .stderr(output);
    let daemon = command
        .spawn()
        .map_err(|error| format!("dockerd: {error}"))?;
    let mut daemon = Daemon(daemon);
    let mut engine = Engine::new("docker", vec![("DOCKER_HOST", PathBuf::from(SOCKET))]);
    let deadline = Instant::now() + PATIENCE;
    while engine.client(&["version"]).code != 0 {
        let ended = daemon.0.try_wait().map_err(text)?.is_some();
        if ended || Instant::now() > deadline {
            return Err(format!("dockerd does not answer:\n{}", tail(&log)));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    engine._daemon = Some(daemon);
    Ok(engine)
}

fn command(directory: &Path, settings: &Path, runtime: &Path) -> Command {
    let mut command = Command::new("dockerd");
    command
        .arg("--data-root")
        .arg(directory.join("data"))
        .args(["--exec-root", "/run/docker", "--pidfile", "/run/docker.pid"])
        .args(["--host", SOCKET])
        .arg("--config-file")
        .arg(settings)
        .args(["--cgroup-parent", &format!("/{DOCKER_PARENT}")]);
    if Bounds::of_host().are_narrow() {
        let runtime = format!("restricted={}", runtime.display());
        command.args(["--add-runtime", &runtime, "--default-runtime", "restricted"]);
    }
    command
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
