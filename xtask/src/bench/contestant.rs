//! Who takes part in the contest.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kind_e2e::{Engine, Kind};

use crate::Failure;

/// Whose command it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Original,
    Before,
    Ours,
}

/// A command on an engine.
pub(super) struct Contestant {
    pub(super) who: Who,
    pub(super) engine: Arc<Engine>,
    pub(super) kind: Kind,
    /// The directory of everything that the engine keeps.
    pub(super) data: PathBuf,
}

impl Contestant {
    /// What it is called in tables.
    pub(super) fn title(&self) -> String {
        let who = match self.who {
            Who::Original => "kind 0.33",
            Who::Before => "before",
            Who::Ours => "ours",
        };
        format!("{who} on {}", self.engine.name())
    }
}

/// The programs that take part.
pub(super) struct Programs {
    pub(super) ours: PathBuf,
    pub(super) original: PathBuf,
    pub(super) before: Option<PathBuf>,
    /// What runs containers where the host's limits are narrow.
    pub(super) runtime: PathBuf,
}

/// Everyone, the original first, and every engine with the node image. Whoever is compared runs soon after the other.
pub(super) fn all(
    programs: &Programs,
    directory: &Path,
    node_image: &Path,
) -> Result<Vec<Contestant>, Failure> {
    let mut contestants = Vec::new();
    for name in ["docker", "podman", "native"] {
        let data = directory.join(name);
        fs::create_dir_all(&data)?;
        let engine = Arc::new(Engine::start(name, &data, &programs.runtime)?);
        if !engine.is_native() {
            engine.load(node_image)?;
        }
        let mut add = |who, kind: Kind| {
            let data = if engine.is_native() {
                kind.state()
            } else {
                data.clone()
            };
            contestants.push(Contestant {
                who,
                engine: engine.clone(),
                kind,
                data,
            });
        };
        let home = |who: &str| directory.join(format!("{who}-{name}"));
        if name == "docker" {
            let original = programs.original.clone();
            add(
                Who::Original,
                Kind::original(original, &home("original"), engine.clone()),
            );
        }
        if let Some(before) = &programs.before {
            add(
                Who::Before,
                Kind::new(before.clone(), &home("before"), engine.clone()),
            );
        }
        add(
            Who::Ours,
            Kind::new(programs.ours.clone(), &home("ours"), engine.clone()),
        );
    }
    Ok(contestants)
}
