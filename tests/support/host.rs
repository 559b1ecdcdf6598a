//! What clusters leave on a host if anything goes wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::eventually;

/// Everything of a host that nodes make and must take away again: mounts, links, cgroups, rules of
/// nftables, and network namespaces that some process is in. One line each.
#[derive(Debug)]
pub struct Traces(BTreeSet<String>);

impl Traces {
    /// Reads them now.
    ///
    /// # Panics
    /// If the host cannot be read, for example without root.
    pub fn of_host() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("a mount table");
        let cgroups = ["/sys/fs/cgroup", "-path", "*/kind-*", "-type", "d"];
        let all = [
            ("mount", mounts.lines().map(str::to_owned).collect()),
            ("link", links()),
            ("cgroup", lines("find", &cgroups)),
            ("rule", lines("nft", &["--stateless", "list", "ruleset"])),
            ("namespace", namespaces()),
        ];
        let mut found = BTreeSet::new();
        for (kind, traces) in all {
            found.extend(traces.iter().map(|trace| format!("{kind} {trace}")));
        }
        Self(found)
    }

    /// These and others, found elsewhere.
    #[must_use]
    pub fn with(mut self, kind: &str, traces: impl IntoIterator<Item = String>) -> Self {
        let traces = traces.into_iter();
        self.0.extend(traces.map(|trace| format!("{kind} {trace}")));
        self
    }

    /// Waits until the host is as it was.
    ///
    /// # Panics
    /// If something stays.
    pub fn await_restored(&self) {
        // The kernel takes a moment to end the namespaces of dead processes.
        eventually("the host is as before", 10, || {
            match Self::of_host().since(self).as_slice() {
                [] => Ok(()),
                left => Err(left.join("\n")),
            }
        });
    }

    /// What was not there before.
    pub fn since(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

/// Those of this network namespace: `/sys` may be of another one.
fn links() -> BTreeSet<String> {
    let table = fs::read_to_string("/proc/thread-self/net/dev").expect("a list of links");
    let names = table.lines().filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn lines(program: &str, arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.expect("the program can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

fn namespaces() -> BTreeSet<String> {
    let processes = names(Path::new("/proc")).into_iter();
    let processes = processes.filter(|name| name.parse::<u32>().is_ok());
    let links = processes.filter_map(|pid| fs::read_link(format!("/proc/{pid}/ns/net")).ok());
    links
        .map(|link| link.to_string_lossy().into_owned())
        .collect()
}
