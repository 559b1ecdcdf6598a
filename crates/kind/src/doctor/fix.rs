//! What mends something without any danger: it is safe, and can be taken back.

use std::fs;
use std::path::{Path, PathBuf};

use kind_engine::Pruning;

use crate::engines::find_engine;
use crate::{Code, Error, ProviderBuilder, Result, kubeconfig};

/// What mends something without any danger: it is safe, and can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    title: String,
    note: Option<String>,
    action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    SetSysctl(Sysctl),
    RemoveLock(PathBuf),
    RemoveOrphans,
}

impl Fix {
    /// What would be done, as an order, for example `set fs.inotify.max_user_instances to 512`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the user should know of it.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Sets a sysctl until the host starts again.
    pub(super) fn set_sysctl(name: &'static str, value: u64) -> Self {
        Self {
            title: format!("set {name} to {value}"),
            note: Some(format!(
                "it lasts until the host starts again; the line `{name}={value}` in {SYSCTL_FILE} makes it last"
            )),
            action: Action::SetSysctl(Sysctl { name, value }),
        }
    }

    /// The sysctl that it sets, if that is what it does.
    pub(super) fn sysctl(&self) -> Option<Sysctl> {
        match self.action {
            Action::SetSysctl(sysctl) => Some(sysctl),
            Action::RemoveLock(_) | Action::RemoveOrphans => None,
        }
    }

    /// Removes a kubeconfig's lock that a crash has left.
    pub(super) fn remove_lock(lock: &Path) -> Self {
        Self {
            title: format!("remove {}", lock.display()),
            note: None,
            action: Action::RemoveLock(lock.to_owned()),
        }
    }

    /// Removes what crashes of the native engine have left.
    pub(super) fn remove_orphans() -> Self {
        Self {
            title: "remove what belongs to no node".to_owned(),
            note: None,
            action: Action::RemoveOrphans,
        }
    }
}

/// A sysctl, and the value that it is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sysctl {
    pub(super) name: &'static str,
    pub(super) value: u64,
}

impl Sysctl {
    /// Sets it below this directory, and returns what it was.
    pub(super) fn set_below(self, directory: &Path) -> Result<String> {
        let path = directory.join(self.name.replace('.', "/"));
        let failed = |error| Error::io("failed to write", &path)(error);
        let before = fs::read_to_string(&path).map_err(failed)?;
        fs::write(&path, self.value.to_string()).map_err(failed)?;
        Ok(before.trim().to_owned())
    }
}

/// Where a sysctl stands that lasts.
const SYSCTL_FILE: &str = "/etc/sysctl.d/90-kind.conf";

/// Commands that set a sysctl now and for good.
pub(super) fn sysctl_remedy(name: &str, value: u64) -> String {
    format!("`echo {name}={value} | sudo tee -a {SYSCTL_FILE} && sudo sysctl --system`")
}

impl ProviderBuilder {
    /// Mends what a [`Fix`] is for.
    ///
    /// # Errors
    /// What could not be changed; most needs root.
    pub fn apply_fix(&self, fix: &Fix) -> Result<()> {
        match &fix.action {
            Action::SetSysctl(sysctl) => sysctl.set_below(Path::new("/proc/sys")).map(drop),
            Action::RemoveLock(lock) => kubeconfig::remove_stale_lock(lock),
            Action::RemoveOrphans => self.remove_orphans(),
        }
    }

    fn remove_orphans(&self) -> Result<()> {
        let Some(engine) = find_engine(crate::EngineChoice::Native, self.engine_parts()).1 else {
            return Ok(());
        };
        let removed = engine.prune_orphans(Pruning::Remove);
        let failed = Error::engine(Code::Prune, "failed to remove what belongs to no node");
        removed.map(drop).map_err(failed)
    }
}
