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
    SetSysctl { name: &'static str, value: u64 },
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
            action: Action::SetSysctl { name, value },
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
            Action::SetSysctl { name, value } => {
                let path = Path::new("/proc/sys").join(name.replace('.', "/"));
                fs::write(&path, value.to_string()).map_err(Error::io("failed to write", &path))
            }
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
