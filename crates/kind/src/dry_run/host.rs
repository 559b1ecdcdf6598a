//! What the engine says, or what is assumed where none answers.

use std::sync::Arc;

use kind_engine::{Engine, EngineKind, Info, Limits, own_hostname};

use crate::engines;
use crate::event::{Detail, Event, Listener, Verbosity};
use crate::provider::ProviderBuilder;

/// The host that a cluster would run on.
pub(super) struct Host {
    /// Which engine it is.
    pub(super) kind: EngineKind,
    /// What the engine can do. Where none answers: it runs with root, on cgroup v2.
    pub(super) info: Info,
    /// The engine, if it answers.
    pub(super) engine: Option<Arc<dyn Engine>>,
}

impl Host {
    /// Asks the chosen engine.
    pub(super) fn inspect_host(settings: &ProviderBuilder, listener: Listener<'_>) -> Self {
        let (kind, engine) = engines::find_engine(settings.choice, settings.engine_parts());
        let answer = engine.map(|engine| (engine.info(), engine));
        match answer {
            Some((Ok(info), engine)) => Self {
                kind,
                info,
                engine: Some(engine),
            },
            _ => {
                let text = format!(
                    "{} does not answer; its nodes are taken to run as root on cgroup v2",
                    kind.name()
                );
                listener(Event::Detail(Detail::new(Verbosity::Steps, text)));
                Self {
                    kind,
                    info: assumed_facts(),
                    engine: None,
                }
            }
        }
    }

    /// Whether nodes of a cluster of that name exist, as far as that is known.
    pub(super) fn has_cluster(&self, name: &str) -> bool {
        let listed = self
            .engine
            .as_ref()
            .and_then(|engine| engine.list(Some(name)).ok());
        listed.is_some_and(|nodes| !nodes.is_empty())
    }
}

fn assumed_facts() -> Info {
    Info {
        rootless: false,
        cgroup2: true,
        limits: Limits::default(),
        version: String::new(),
        hostname: own_hostname(),
        architecture: String::new(),
        storage_driver: String::new(),
        backing_filesystem: String::new(),
        storage_dir: String::new(),
        containerd_images: false,
        user_namespaces: false,
        parallel_creates: false,
        warnings: Vec::new(),
    }
}
