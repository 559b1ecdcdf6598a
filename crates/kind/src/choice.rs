//! Which engine nodes run on.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use kind_engine::Engine;

use crate::{Error, Result};

/// Which engine to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineChoice {
    /// The first that answers: docker, nerdctl, podman, and then the native engine on Linux.
    #[default]
    Detect,
    /// This Linux kernel, without any container engine.
    Native,
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// containerd through nerdctl.
    Nerdctl,
    /// containerd through finch.
    Finch,
    /// containerd through nerdctl in a Lima machine.
    NerdctlLima,
}

impl EngineChoice {
    /// The engine that users call so; `None` for a name that is none.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "native" => Self::Native,
            "docker" => Self::Docker,
            "podman" => Self::Podman,
            "nerdctl" => Self::Nerdctl,
            "finch" => Self::Finch,
            "nerdctl.lima" => Self::NerdctlLima,
            _ => return None,
        })
    }

    /// The engine's name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Native => "native",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
            Self::Finch => "finch",
            Self::NerdctlLima => "nerdctl.lima",
        }
    }
}

/// What the native engine needs.
#[derive(Debug, Clone)]
pub(crate) struct NativeParts {
    pub(crate) state_dir: PathBuf,
    pub(crate) helper: PathBuf,
}

/// Opens the chosen engine.
pub(crate) fn open(choice: EngineChoice, native: NativeParts) -> Result<Arc<dyn Engine>> {
    match choice {
        EngineChoice::Native => open_native(native),
        EngineChoice::Detect => {
            for engine in CLIENTS.iter().filter(|client| client.answers()) {
                tracing::debug!(
                    engine = engine.program,
                    "this engine answers, but kind cannot use it yet"
                );
            }
            open_native(native)
        }
        other => Err(Error::NotSupported(format!(
            "the engine {:?}",
            other.name()
        ))),
    }
}

/// The chosen engine for looking only, with its name; none if it does not answer. Nothing is made for
/// it: the native engine answers only where it has worked before.
pub(crate) fn look(
    choice: EngineChoice,
    native: NativeParts,
) -> (&'static str, Option<Arc<dyn Engine>>) {
    let name = match choice {
        EngineChoice::Detect if cfg!(target_os = "linux") => "native",
        EngineChoice::Detect => "docker",
        EngineChoice::Finch | EngineChoice::NerdctlLima => "nerdctl",
        other => other.name(),
    };
    if name == "native" && !native.state_dir.is_dir() {
        return (name, None);
    }
    match open(choice, native) {
        Ok(engine) => (engine.name(), Some(engine)),
        Err(error) => {
            tracing::debug!(%error, name, "no engine to ask");
            (name, None)
        }
    }
}

#[cfg(target_os = "linux")]
fn open_native(parts: NativeParts) -> Result<Arc<dyn Engine>> {
    let options = kind_engine::native::NativeOptions {
        state_dir: parts.state_dir,
        helper: parts.helper,
    };
    let engine = kind_engine::native::Native::open(options)
        .map_err(Error::engine("failed to open the native engine"))?;
    Ok(Arc::new(engine))
}

#[cfg(not(target_os = "linux"))]
fn open_native(_: NativeParts) -> Result<Arc<dyn Engine>> {
    Err(Error::EngineUnavailable {
        engine: "native".to_owned(),
        reason: "it needs Linux".to_owned(),
    })
}

/// Programs that reach an engine, in the order they are looked for.
const CLIENTS: [Client; 4] = [
    Client {
        program: "docker",
        banner: "Docker version",
    },
    Client {
        program: "nerdctl",
        banner: "nerdctl version",
    },
    Client {
        program: "finch",
        banner: "finch version",
    },
    Client {
        program: "podman",
        banner: "podman version",
    },
];

/// A program that reaches an engine.
struct Client {
    program: &'static str,
    /// How its version begins; a program of that name that is another one says something else.
    banner: &'static str,
}

impl Client {
    /// Whether the program is there and the engine behind it answers.
    fn answers(&self) -> bool {
        self.output(&["-v"])
            .is_some_and(|version| is_version(&version, self.banner))
            && self.output(&["info"]).is_some()
    }

    /// What the program prints; `None` if it fails.
    fn output(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new(self.program);
        let output = command.args(arguments).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    }
}

/// Whether a program's answer is exactly one line that begins so.
fn is_version(text: &str, banner: &str) -> bool {
    let mut lines = text.lines();
    lines.next().is_some_and(|line| line.starts_with(banner)) && lines.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_not_taken_for_docker() {
        assert!(is_version(
            "Docker version 20.10, build 1\n",
            "Docker version"
        ));
        assert!(!is_version("podman version 4.3\n", "Docker version"));
        assert!(!is_version("Docker version 1\nmore\n", "Docker version"));
        assert!(!is_version("", "Docker version"));
    }

    #[test]
    fn names_are_kinds() {
        for name in [
            "native",
            "docker",
            "podman",
            "nerdctl",
            "finch",
            "nerdctl.lima",
        ] {
            assert_eq!(EngineChoice::named(name).unwrap().name(), name);
        }
        assert_eq!(EngineChoice::named("detect"), None);
    }
}
