//! Programs that reach an engine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kind_engine::command_line::{CommandLine, Flavor};

use super::choice::EngineChoice;

/// What engines need.
#[derive(Debug, Clone)]
pub(crate) struct EngineParts {
    /// What the native engine keeps, and programs for nodes.
    pub(crate) state_dir: PathBuf,
    pub(crate) temporary_dir: PathBuf,
    pub(crate) helper: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
}

impl EngineParts {
    /// The variable by which the user leads docker's client to a daemon, if one is set to something: docker is then
    /// what is meant.
    pub(crate) fn docker_variable(&self) -> Option<&'static str> {
        let is_set = |name: &&str| {
            self.environment
                .get(*name)
                .is_some_and(|value| !value.is_empty())
        };
        ["DOCKER_HOST", "DOCKER_CONTEXT"].into_iter().find(is_set)
    }
}

/// An engine behind a program; nothing is asked of it yet.
pub(crate) fn engine_client(flavor: Flavor, program: &str, parts: &EngineParts) -> CommandLine {
    let search_path = parts.environment.get("PATH").cloned();
    CommandLine::new(flavor, program)
        .search_path(search_path.unwrap_or_default())
        .temporary_dir(&parts.temporary_dir)
        .agents_dir(parts.state_dir.join("agents"))
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
