//! Who holds a lock. client-go's lock files are empty; ours say which process made them, so that a
//! lock whose process is gone need not be waited for.

use std::fs;
use std::io::Read;
use std::path::Path;

/// A process, named so that no other process before or after it has the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) pid: u32,
    /// When it began, in the kernel's ticks since the boot.
    started: u64,
    /// The pid namespace in which the pid counts.
    namespace: String,
    /// The boot of the kernel.
    boot: String,
}

/// What lock files of ours begin with.
const MARK: &str = "kind";
/// Longer files are no lock files of ours.
const LONGEST: u64 = 256;

impl Owner {
    /// This process; `None` where the system does not tell enough.
    pub(super) fn this_process() -> Option<Self> {
        let pid = std::process::id();
        Some(Self {
            pid,
            started: process_start(pid)?,
            namespace: pid_namespace()?,
            boot: boot_id()?,
        })
    }

    /// The owner that a lock file names, if it names one.
    pub(super) fn read_owner(lock: &Path) -> Option<Self> {
        let found = fs::symlink_metadata(lock).ok()?;
        if !found.is_file() || found.len() > LONGEST {
            return None;
        }
        let mut text = String::new();
        let file = fs::File::open(lock).ok()?;
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_suffix('\n')?.split(' ');
        if words.next()? != MARK {
            return None;
        }
        let owner = Self {
            pid: words.next()?.parse().ok()?,
            started: words.next()?.parse().ok()?,
            namespace: words.next()?.to_owned(),
            boot: words.next()?.to_owned(),
        };
        words.next().is_none().then_some(owner)
    }

    /// Whether the process lives; `None` if that cannot be told from here, because it belongs to
    /// another host, boot or container.
    pub(super) fn is_alive(&self) -> Option<bool> {
        let here = boot_id()? == self.boot && pid_namespace()? == self.namespace;
        here.then(|| process_start(self.pid) == Some(self.started))
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            pid,
            started,
            namespace,
            boot,
        } = self;
        writeln!(f, "{MARK} {pid} {started} {namespace} {boot}")
    }
}

/// When a process began: the 22nd word of its `stat`, counted after the name in brackets.
fn process_start(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, words) = stat.rsplit_once(')')?;
    words.split_whitespace().nth(19)?.parse().ok()
}

fn pid_namespace() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    link.to_str().map(str::to_owned)
}

fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn processes_are_told_apart() {
        let this = Owner::this_process().unwrap();
        assert_eq!(this.is_alive(), Some(true));
        assert_eq!(Owner::parse(&this.to_string()), Some(this.clone()));
        let earlier = Owner {
            started: this.started - 1,
            ..this.clone()
        };
        assert_eq!(earlier.is_alive(), Some(false));
        let elsewhere = Owner {
            boot: "another".to_owned(),
            ..this
        };
        assert_eq!(elsewhere.is_alive(), None);
    }

    #[test]
    fn other_texts_name_nobody() {
        for text in [
            "",
            "\n",
            "kind\n",
            "kind 1 2 a b c\n",
            "kind x 2 a b\n",
            "kubectl 1 2 a b\n",
            "kind 1 2 a b",
        ] {
            assert_eq!(Owner::parse(text), None, "{text:?}");
        }
    }
}
