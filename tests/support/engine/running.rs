//! An engine that runs, whichever it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::client::Client;
use super::{docker, podman};
use crate::answer::Answer;
use crate::is_ordinary_user;

/// An engine that is ready for clusters.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    daemon: Option<docker::Daemon>,
}

impl Engine {
    /// The names of all engines that can be started.
    pub const NAMES: [&str; 3] = ["native", "docker", "podman"];

    /// Starts the engine of that name, which keeps everything below `directory`. All but the native one
    /// must be started in a world of their own ([`crate::enclosed`]). For an ordinary user none is started: the
    /// one that answers is taken.
    ///
    /// # Errors
    /// Why it does not answer, with the end of its log.
    pub fn start(name: &str, directory: &Path, runtime: &Path) -> Result<Self, String> {
        let client = match name {
            "docker" if is_ordinary_user() => Client::existing("docker")?,
            "podman" if is_ordinary_user() => Client::existing("podman")?,
            "native" => Client::new("native", Vec::new()),
            "docker" => {
                let (client, daemon) = docker::start(directory, runtime)?;
                return Ok(Self {
                    client,
                    daemon: Some(daemon),
                });
            }
            "podman" => podman::configure(directory, runtime)?,
            other => return Err(format!("no engine is called {other:?}")),
        };
        Ok(Self {
            client,
            daemon: None,
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.client.name
    }

    /// Whether nodes run without any container engine.
    pub fn is_native(&self) -> bool {
        self.client.name == "native"
    }

    /// Ends the engine's daemon, if it has one, as a host does that shuts down, and starts it again.
    ///
    /// # Errors
    /// Why it does not answer any more.
    pub fn restart(&self) -> Result<(), String> {
        self.daemon.as_ref().map_or(Ok(()), docker::Daemon::restart)
    }

    /// Sends the engine's daemon, if it has one, a signal: `STOP` makes it hang until `CONT`, `KILL` ends it as a crash
    /// does; [`Engine::restart`] brings it back.
    ///
    /// # Errors
    /// Why it was not sent.
    pub fn signal(&self, name: &str) -> Result<(), String> {
        let daemon = self.daemon.as_ref();
        daemon.map_or(Ok(()), |daemon| daemon.signal(name))
    }

    /// Lets a program find the engine.
    pub fn prepare(&self, command: &mut Command) {
        self.client.prepare(command);
    }

    /// Asks the engine's own client.
    pub fn client(&self, arguments: &[&str]) -> Answer {
        self.client.ask(arguments)
    }

    /// Its client for programs that know nothing of its place: a script below `directory`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn wrapper(&self, directory: &Path) -> PathBuf {
        self.client.wrapper(directory)
    }

    /// Brings the images of an archive into the engine.
    ///
    /// # Errors
    /// What its client said.
    pub fn load(&self, archive: &Path) -> Result<(), String> {
        let mut command = Command::new(self.client.name);
        self.client
            .prepare(command.args(["load", "--input"]).arg(archive));
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", self.client.name))?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
