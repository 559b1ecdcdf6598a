//! Which engine nodes run on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kind_engine::Engine;
use kind_engine::command_line::{CommandLine, Flavor};

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

/// What engines need.
#[derive(Debug, Clone)]
pub(crate) struct EngineParts {
    /// What the native engine keeps, and programs for nodes.
    pub(crate) state_dir: PathBuf,
    pub(crate) temporary_dir: PathBuf,
    pub(crate) helper: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
}

/// Opens the chosen engine.
pub(crate) fn open(choice: EngineChoice, parts: EngineParts) -> Result<Arc<dyn Engine>> {
    let (flavor, program) = match choice {
        EngineChoice::Native => return open_native(parts),
        EngineChoice::Detect => return detect(parts),
        EngineChoice::Docker => (Flavor::Docker, "docker"),
        EngineChoice::Podman => (Flavor::Podman, "podman"),
        EngineChoice::Nerdctl | EngineChoice::Finch | EngineChoice::NerdctlLima => {
            (Flavor::Nerdctl, choice.name())
        }
    };
    Ok(Arc::new(client((flavor, program), &parts)))
}

/// What answers first; otherwise nodes run natively.
fn detect(parts: EngineParts) -> Result<Arc<dyn Engine>> {
    if let Some(engine) = answering(&parts) {
        return Ok(engine);
    }
    match open_native(parts.clone()) {
        // Without root this host has nothing to offer; most users mean docker.
        Err(error) if !has_native(&error) => open(EngineChoice::Docker, parts),
        opened => opened,
    }
}

fn client((flavor, program): (Flavor, &str), parts: &EngineParts) -> CommandLine {
    CommandLine::new(flavor, program)
        .temporary_dir(&parts.temporary_dir)
        .agents_dir(parts.state_dir.join("agents"))
}

/// The first program behind which an engine answers. What it tells of itself is kept, so that it is not
/// asked again.
fn answering(parts: &EngineParts) -> Option<Arc<dyn Engine>> {
    let engine = CLIENTS.iter().find_map(|known| {
        let engine = client((known.flavor, known.program), parts);
        engine.answers(known.banner).then_some(engine)
    })?;
    Some(Arc::new(engine))
}

/// Whether this host could have nodes of the native engine for this user.
fn has_native(error: &Error) -> bool {
    let code = error.code();
    cfg!(target_os = "linux") && code != "ENG-NOT-ROOT"
}

/// The chosen engine for looking only, with its name; none if it does not answer. Nothing is made for
/// it: the native engine answers only where it has worked before.
pub(crate) fn look(
    choice: EngineChoice,
    parts: EngineParts,
) -> (&'static str, Option<Arc<dyn Engine>>) {
    if choice == EngineChoice::Detect
        && let Some(engine) = answering(&parts)
    {
        return (engine.name(), Some(engine));
    }
    let name = match choice {
        EngineChoice::Detect if cfg!(target_os = "linux") => "native",
        EngineChoice::Detect => "docker",
        EngineChoice::Finch | EngineChoice::NerdctlLima => "nerdctl",
        other => other.name(),
    };
    if name == "native" && !parts.state_dir.is_dir() {
        return (name, None);
    }
    match open(choice, parts) {
        Ok(engine) => (engine.name(), Some(engine)),
        Err(error) => {
            tracing::debug!(%error, name, "no engine to ask");
            (name, None)
        }
    }
}

#[cfg(target_os = "linux")]
fn open_native(parts: EngineParts) -> Result<Arc<dyn Engine>> {
    let options = kind_engine::native::NativeOptions {
        state_dir: parts.state_dir,
        helper: parts.helper,
        environment: parts.environment,
    };
    let engine = kind_engine::native::Native::open(options)
        .map_err(Error::engine("failed to open the native engine"))?;
    Ok(Arc::new(engine))
}

#[cfg(not(target_os = "linux"))]
fn open_native(_: EngineParts) -> Result<Arc<dyn Engine>> {
    Err(Error::EngineUnavailable {
        engine: "native".to_owned(),
        reason: "it needs Linux".to_owned(),
    })
}

/// Programs that reach an engine, in the order they are looked for.
const CLIENTS: [Client; 4] = [
    Client {
        flavor: Flavor::Docker,
        program: "docker",
        banner: "Docker version",
    },
    Client {
        flavor: Flavor::Nerdctl,
        program: "nerdctl",
        banner: "nerdctl version",
    },
    Client {
        flavor: Flavor::Nerdctl,
        program: "finch",
        banner: "finch version",
    },
    Client {
        flavor: Flavor::Podman,
        program: "podman",
        banner: "podman version",
    },
];

/// A program that reaches an engine.
struct Client {
    flavor: Flavor,
    program: &'static str,
    /// How its version begins; a program of that name that is another one says something else.
    banner: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

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
