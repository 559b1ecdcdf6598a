//! The way to an engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::answer::{Answer, answer};

/// An engine's own client, and what it must know to find its engine.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: &'static str,
    environment: Vec<(&'static str, PathBuf)>,
    /// Its engine was there before the tests, and the user's environment tells where.
    existing: bool,
}

impl Client {
    /// The client of an engine that the tests start.
    pub(super) fn new(name: &'static str, environment: Vec<(&'static str, PathBuf)>) -> Self {
        Self {
            name,
            environment,
            existing: false,
        }
    }

    /// The client of an engine that is there.
    pub(super) fn existing(name: &'static str) -> Result<Self, String> {
        let client = Self {
            existing: true,
            ..Self::new(name, Vec::new())
        };
        let answer = client.ask(&["info"]);
        match answer.code {
            0 => Ok(client),
            _ => Err(format!("{name} does not answer:\n{}", answer.stderr)),
        }
    }

    /// Lets a program find the engine.
    pub(super) fn prepare(&self, command: &mut Command) {
        if self.existing {
            return;
        }
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Asks the engine's own client.
    pub(super) fn ask(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(self.name);
        self.prepare(command.args(arguments));
        answer(&mut command, None)
    }

    /// Its client for programs that know nothing of its place: a script below `directory`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub(super) fn wrapper(&self, directory: &Path) -> PathBuf {
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
