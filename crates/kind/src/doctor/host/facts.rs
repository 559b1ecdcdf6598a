//! Where facts of a host are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::engines::{Answer, Engines, find_engines};
use crate::{KubeconfigFiles, ProviderBuilder};

/// A host, and what is wanted of it.
pub(in crate::doctor) struct Host {
    /// Where its files are: `/`, but in tests.
    pub(super) root: PathBuf,
    /// The user.
    pub(super) uid: u32,
    /// What is to be made.
    pub(super) planned: Planned,
    /// The user's kubeconfigs, where they are known.
    pub(super) kubeconfigs: Option<KubeconfigFiles>,
    /// How the library is to be used.
    pub(super) settings: ProviderBuilder,
    engines: OnceLock<Engines>,
}

/// How many nodes are to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) control_planes: u64,
    pub(crate) workers: u64,
}

impl Planned {
    /// The smallest cluster.
    pub(in crate::doctor) const ONE_NODE: Self = Self {
        control_planes: 1,
        workers: 0,
    };

    /// The sum of what each node takes.
    pub(super) fn sum(self, control_plane: u64, worker: u64) -> u64 {
        self.control_planes * control_plane + self.workers * worker
    }

    /// The nodes in words.
    pub(super) fn describe(self) -> String {
        match (self.control_planes, self.workers) {
            (1, 0) => "a cluster of one node".to_owned(),
            (control_planes, workers) => format!("a cluster of {} nodes", control_planes + workers),
        }
    }
}

impl Host {
    /// This host, whose engines are looked for when somebody asks for them.
    pub(in crate::doctor) fn current(
        settings: ProviderBuilder,
        kubeconfigs: Option<KubeconfigFiles>,
        planned: Planned,
    ) -> Self {
        Self {
            root: PathBuf::from("/"),
            uid: rustix::process::geteuid().as_raw(),
            planned,
            kubeconfigs,
            settings,
            engines: OnceLock::new(),
        }
    }

    /// The same host with engines that are known.
    pub(in crate::doctor) fn with_engines(self, engines: Engines) -> Self {
        // Nobody has asked for them before.
        let _ = self.engines.set(engines);
        self
    }

    pub(in crate::doctor) fn engines(&self) -> &Engines {
        self.engines.get_or_init(|| find_engines(&self.settings))
    }

    /// A path of the host.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// A file's text, if there is one that may be read.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    /// The number that a file holds.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.trim().parse().ok()
    }

    /// A variable of the user's environment that is set to something.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.settings.environment.get(name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(in crate::doctor) fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Whether nodes would run on this very host, as far as that is known: an engine may be on another one, or in a
    /// virtual machine.
    pub(super) fn has_nodes(&self) -> bool {
        let used = self.engines().used();
        let Answer::Answers(info) = &used.answer else {
            return true;
        };
        let own = self.text("proc/sys/kernel/hostname").unwrap_or_default();
        used.is_native() || info.is_on(own.trim())
    }

    /// The user whom the kernel takes nodes for.
    pub(super) fn nodes_uid(&self) -> u32 {
        match &self.engines().used().answer {
            Answer::Answers(info) if !info.rootless => 0,
            _ => self.uid,
        }
    }
}

/// A host of a test: its files are below this directory, and its engines are known.
#[cfg(test)]
pub(in crate::doctor) fn recorded_host(root: &Path, engines: Engines) -> Host {
    Host {
        root: root.to_owned(),
        uid: 1000,
        planned: Planned::ONE_NODE,
        kubeconfigs: None,
        settings: crate::Provider::builder(),
        engines: OnceLock::from(engines),
    }
}
