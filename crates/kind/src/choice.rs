//! Which engine nodes run on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kind_engine::command_line::{CommandLine, Flavor};
use kind_engine::{Engine, EngineKind};

use crate::{Code, Error, Result};

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
pub(crate) fn open_engine(choice: EngineChoice, parts: EngineParts) -> Result<Arc<dyn Engine>> {
    let (flavor, program) = match choice {
        EngineChoice::Native => return open_native(parts).map_err(NativeError::into_error),
        EngineChoice::Detect => return detect_engine(parts),
        EngineChoice::Docker => (Flavor::Docker, "docker"),
        EngineChoice::Podman => (Flavor::Podman, "podman"),
        EngineChoice::Nerdctl | EngineChoice::Finch | EngineChoice::NerdctlLima => {
            (Flavor::Nerdctl, choice.name())
        }
    };
    Ok(Arc::new(engine_client((flavor, program), &parts)))
}

/// What answers first; otherwise nodes run natively.
fn detect_engine(parts: EngineParts) -> Result<Arc<dyn Engine>> {
    if let Some(engine) = answering_engine(&parts) {
        return Ok(engine);
    }
    match open_native(parts.clone()) {
        // Without root this host has nothing to offer; most users mean docker.
        Err(NativeError::Unavailable(_)) => open_engine(EngineChoice::Docker, parts),
        opened => opened.map_err(NativeError::into_error),
    }
}

/// An engine behind a program; nothing is asked of it yet.
pub(crate) fn engine_client((flavor, program): (Flavor, &str), parts: &EngineParts) -> CommandLine {
    let search_path = parts.environment.get("PATH").cloned();
    CommandLine::new(flavor, program)
        .search_path(search_path.unwrap_or_default())
        .temporary_dir(&parts.temporary_dir)
        .agents_dir(parts.state_dir.join("agents"))
}

/// The first program behind which an engine answers. What it tells of itself is kept, so that it is not
/// asked again.
fn answering_engine(parts: &EngineParts) -> Option<Arc<dyn Engine>> {
    let engine = CLIENTS.iter().find_map(|known| {
        let engine = engine_client((known.flavor, known.choice.name()), parts);
        engine.answers(known.banner).then_some(engine)
    })?;
    Some(Arc::new(engine))
}

/// Why there is no native engine.
enum NativeError {
    /// This host, or this user, cannot have nodes of it at all.
    Unavailable(Error),
    /// It could be here, but something is wrong.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux could have it")
    )]
    Failed(Error),
}

impl NativeError {
    fn into_error(self) -> Error {
        match self {
            Self::Unavailable(error) | Self::Failed(error) => error,
        }
    }
}

/// The chosen engine for looking only, and which it is; none if it does not answer. Nothing is made for
/// it: the native engine answers only where it has worked before.
pub(crate) fn find_engine(
    choice: EngineChoice,
    parts: EngineParts,
) -> (EngineKind, Option<Arc<dyn Engine>>) {
    if choice == EngineChoice::Detect
        && let Some(engine) = answering_engine(&parts)
    {
        return (engine.kind(), Some(engine));
    }
    let kind = match choice {
        EngineChoice::Detect if cfg!(target_os = "linux") => EngineKind::Native,
        EngineChoice::Native => EngineKind::Native,
        EngineChoice::Detect | EngineChoice::Docker => EngineKind::Docker,
        EngineChoice::Podman => EngineKind::Podman,
        EngineChoice::Nerdctl | EngineChoice::Finch | EngineChoice::NerdctlLima => {
            EngineKind::Nerdctl
        }
    };
    if kind == EngineKind::Native && !parts.state_dir.is_dir() {
        return (kind, None);
    }
    match open_engine(choice, parts) {
        Ok(engine) => (engine.kind(), Some(engine)),
        Err(error) => {
            tracing::debug!(%error, name = kind.name(), "no engine to ask");
            (kind, None)
        }
    }
}

#[cfg(target_os = "linux")]
fn open_native(parts: EngineParts) -> std::result::Result<Arc<dyn Engine>, NativeError> {
    let options = kind_engine::native::NativeOptions {
        state_dir: parts.state_dir,
        helper: parts.helper,
        environment: parts.environment,
    };
    let failed = Error::engine(Code::EngineUnavailable, "failed to open the native engine");
    match kind_engine::native::Native::open_state(options) {
        Ok(engine) => Ok(Arc::new(engine)),
        Err(error @ kind_engine::Error::NotRoot) => Err(NativeError::Unavailable(failed(error))),
        Err(error) => Err(NativeError::Failed(failed(error))),
    }
}

#[cfg(not(target_os = "linux"))]
fn open_native(_: EngineParts) -> std::result::Result<Arc<dyn Engine>, NativeError> {
    Err(NativeError::Unavailable(Error::EngineUnavailable {
        engine: EngineKind::Native.name().to_owned(),
        reason: "it needs Linux".to_owned(),
    }))
}

/// Programs that reach an engine, in the order they are looked for.
pub(crate) const CLIENTS: [Client; 4] = [
    Client {
        flavor: Flavor::Docker,
        choice: EngineChoice::Docker,
        banner: "Docker version",
    },
    Client {
        flavor: Flavor::Nerdctl,
        choice: EngineChoice::Nerdctl,
        banner: "nerdctl version",
    },
    Client {
        flavor: Flavor::Nerdctl,
        choice: EngineChoice::Finch,
        banner: "finch version",
    },
    Client {
        flavor: Flavor::Podman,
        choice: EngineChoice::Podman,
        banner: "podman version",
    },
];

/// One that is used only if it is asked for.
pub(crate) const LIMA_CLIENT: Client = Client {
    flavor: Flavor::Nerdctl,
    choice: EngineChoice::NerdctlLima,
    banner: "nerdctl version",
};

/// A program that reaches an engine.
pub(crate) struct Client {
    pub(crate) flavor: Flavor,
    /// How users choose it; its name is the program's.
    pub(crate) choice: EngineChoice,
    /// How its version begins; a program of that name that is another one says something else.
    pub(crate) banner: &'static str,
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
