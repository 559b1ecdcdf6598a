//! What clusters leave on a host if anything goes wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Everything of a host that nodes make and must take away again.
#[derive(Debug, PartialEq, Eq)]
pub struct Traces {
    mounts: BTreeSet<String>,
    links: BTreeSet<String>,
    cgroups: BTreeSet<String>,
    rules: String,
    /// Inodes of network namespaces that some process is in.
    namespaces: BTreeSet<String>,
}

impl Traces {
    /// Reads them now.
    ///
    /// # Panics
    /// If the host cannot be read, for example without root.
    pub fn of_host() -> Self {
        Self {
            mounts: fs::read_to_string("/proc/self/mountinfo")
                .expect("a mount table")
                .lines()
                .map(str::to_owned)
                .collect(),
            links: names(Path::new("/sys/class/net")),
            cgroups: lines(
                "find",
                &["/sys/fs/cgroup", "-path", "*/kind-*", "-type", "d"],
            ),
            rules: lines("nft", &["list", "ruleset"])
                .into_iter()
                .collect::<Vec<_>>()
                .join("\n"),
            namespaces: namespaces(),
        }
    }
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn lines(program: &str, arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program can be started");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

fn namespaces() -> BTreeSet<String> {
    let processes = names(Path::new("/proc"))
        .into_iter()
        .filter(|name| name.parse::<u32>().is_ok());
    let links = processes.filter_map(|pid| fs::read_link(format!("/proc/{pid}/ns/net")).ok());
    links
        .map(|link| link.to_string_lossy().into_owned())
        .collect()
}
