//! The engines that the tests run on, started for them alone.

mod docker;
mod podman;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::programs::answer;
use crate::{Answer, is_ordinary_user};

pub(crate) use docker::SOCKET_GROUP;

/// An engine that is ready for clusters.
#[derive(Debug)]
pub struct Engine {
    name: &'static str,
    /// What its client must know.
    environment: Vec<(&'static str, PathBuf)>,
    daemon: Option<docker::Daemon>,
    /// It was there before the tests, and its client is told by the user's environment where.
    existing: bool,
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
        match name {
            "docker" if is_ordinary_user() => Self::existing("docker"),
            "podman" if is_ordinary_user() => Self::existing("podman"),
            "native" => Ok(Self::new("native", Vec::new())),
            "docker" => docker::start(directory, runtime),
            "podman" => podman::configure(directory, runtime),
            other => Err(format!("no engine is called {other:?}")),
        }
    }

    fn new(name: &'static str, environment: Vec<(&'static str, PathBuf)>) -> Self {
        Self {
            name,
            environment,
            daemon: None,
            existing: false,
        }
    }

    fn existing(name: &'static str) -> Result<Self, String> {
        let mut engine = Self::new(name, Vec::new());
        engine.existing = true;
        let answer = engine.client(&["info"]);
        match answer.code {
            0 => Ok(engine),
            _ => Err(format!("{name} does not answer:\n{}", answer.stderr)),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether nodes run without any container engine.
    pub fn is_native(&self) -> bool {
        self.name == "native"
    }

    /// Ends the engine's daemon, if it has one, as a host does that shuts down, and starts it again.
    ///
    /// # Errors
    /// Why it does not answer any more.
    pub fn restart(&self) -> Result<(), String> {
        self.daemon.as_ref().map_or(Ok(()), docker::Daemon::restart)
    }

    /// Lets a program find the engine.
    pub fn prepare(&self, command: &mut Command) {
        if self.existing {
            return;
        }
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Asks the engine's own client.
    pub fn client(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(self.name);
        self.prepare(command.args(arguments));
        answer(&mut command, None)
    }

    /// Its client for programs that know nothing of its place: a script below `directory`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn wrapper(&self, directory: &Path) -> PathBuf {
        let path = directory.join(format!("{}-client", self.name));
        let mut script = "#!/bin/sh\n".to_owned();
        for (name, value) in &self.environment {
            script += &format!("export {name}='{}'\n", value.display());
        }
        script += &format!("exec {} \"$@\"\n", self.name);
        fs::write(&path, script).expect("a script");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).expect("a script");
        path
    }

    /// Brings the images of an archive into the engine.
    ///
    /// # Errors
    /// What its client said.
    pub fn load(&self, archive: &Path) -> Result<(), String> {
        let mut command = Command::new(self.name);
        self.prepare(command.args(["load", "--input"]).arg(archive));
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", self.name))?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// What would lead a client elsewhere.
const VARIABLES: [&str; 7] = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "CONTAINER_HOST",
    "CONTAINERS_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "CONTAINERS_STORAGE_CONF",
];
