//! Docker's daemon with everything it keeps in directories of the test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::client::Client;
use crate::Bounds;
use crate::enclosure::DOCKER_PARENT;
use crate::user::SOCKET_GROUP;

/// Time for the daemon to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where every client looks first; the paths of sockets must be short.
const SOCKET: &str = "unix:///run/docker.sock";

/// A daemon that ends with its owner.
#[derive(Debug)]
pub(super) struct Daemon {
    process: Mutex<Child>,
    directory: PathBuf,
    runtime: PathBuf,
}

impl Daemon {
    /// Ends the daemon as a host does that shuts down, and starts it again. Containers end with it.
    pub(super) fn restart(&self) -> Result<(), String> {
        let mut process = self.process.lock().map_err(|error| error.to_string())?;
        end(&mut process);
        *process = run(&self.directory, &self.runtime)?;
        Ok(())
    }
}

impl Daemon {
    /// Sends the daemon a signal: `STOP` makes it hang until `CONT`, `KILL` ends it as a crash does.
    pub(super) fn signal(&self, name: &str) -> Result<(), String> {
        let process = self.process.lock().map_err(|error| error.to_string())?;
        let pid = process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("kill -s {name}: {other:?}")),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(process) = self.process.get_mut() {
            end(process);
        }
    }
}

fn end(process: &mut Child) {
    let pid = process.id().to_string();
    // One that a test has stopped hears of its end when it goes on.
    for signal in ["-TERM", "-CONT"] {
        let _ = Command::new("kill").args([signal, &pid]).status();
    }
    let deadline = Instant::now() + PATIENCE;
    while process.try_wait().is_ok_and(|status| status.is_none()) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = process.kill();
    let _ = process.wait();
}

/// Starts a daemon; also returns the client that finds it.
pub(super) fn start(directory: &Path, runtime: &Path) -> Result<(Client, Daemon), String> {
    let process = run(directory, runtime)?;
    let daemon = Daemon {
        process: Mutex::new(process),
        directory: directory.to_owned(),
        runtime: runtime.to_owned(),
    };
    Ok((client(), daemon))
}

fn client() -> Client {
    Client::new("docker", vec![("DOCKER_HOST", PathBuf::from(SOCKET))])
}

/// Starts the daemon and waits until it answers.
fn run(directory: &Path, runtime: &Path) -> Result<Child, String> {
    let text = |error: std::io::Error| error.to_string();
    let log = directory.join("dockerd.log");
    // The host's own settings are none of the test's.
    let settings = directory.join("daemon.json");
    fs::write(&settings, "{}").map_err(text)?;
    let output = File::options().create(true).append(true).open(&log);
    let output = output.map_err(text)?;
    let mut command = command(directory, &settings, runtime);
    command.stdin(Stdio::null());
    command
        .stdout(output.try_clone().map_err(text)?)
        .stderr(output);
    let mut process = command
        .spawn()
        .map_err(|error| format!("dockerd: {error}"))?;
    let deadline = Instant::now() + PATIENCE;
    while client().ask(&["version"]).code != 0 {
        let ended = process.try_wait().map_err(text)?.is_some();
        if ended || Instant::now() > deadline {
            end(&mut process);
            return Err(format!("dockerd does not answer:\n{}", tail(&log)));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(process)
}

fn command(directory: &Path, settings: &Path, runtime: &Path) -> Command {
    let mut command = Command::new("dockerd");
    command
        .arg("--data-root")
        .arg(directory.join("data"))
        .args(["--exec-root", "/run/docker", "--pidfile", "/run/docker.pid"])
        .args(["--host", SOCKET, "--group", &SOCKET_GROUP.to_string()])
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
