//! A world of its own for an engine and everything that uses it.
//!
//! Engines change a host: bridges, firewall rules, mounts, daemons and containers that outlive their
//! creator. Here all of that happens in network, mount and process namespaces that end with the program
//! inside, however it ends, and they end with the caller as well. An engine that runs on the host already
//! is neither seen nor disturbed.
//!
//! An ordinary user can make no such world. For one, the engine that answers already is the one under test.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Runs a program in a world of its own, in which loopback is the only link and `/run` is empty.
///
/// # Errors
/// The namespaces cannot be made, for example without root.
pub fn enclosed(prepare: impl FnOnce(&mut Command)) -> std::io::Result<ExitStatus> {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount"])
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(["--propagation", "slave", "/bin/sh", "-c", SETUP, "sh"])
        .arg(ADDRESS.to_string());
    prepare(&mut command);
    // The name is the tests' own: what has it and is empty is left of a run that was killed.
    for directory in cgroups() {
        if directory.ends_with(DOCKER_PARENT) && is_empty(&directory) {
            remove_cgroup(&directory);
        }
    }
    let before = cgroups();
    let status = command.status();
    // Containers are dead by now; runtimes that died with them have left their cgroups.
    for directory in cgroups().difference(&before) {
        remove_cgroup(directory);
    }
    status
}

/// An address of that world that nodes reach. Kubelets before 1.26 look for a cloud there, and would wait seconds for
/// the answer that this world is in none.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// The shell stays as the first process: it is there for orphans.
const SETUP: &str = "\
ip link set lo up && ip address add \"$1/32\" dev lo || exit 101
mount --make-rshared / && mount -t tmpfs -o mode=755 tmpfs /run || exit 101
shift
\"$@\"
exit $?";

/// Whether the tests run without root, on an engine that is there already.
///
/// # Panics
/// If `/proc` cannot be read.
pub fn is_ordinary_user() -> bool {
    let this = fs::metadata("/proc/self").expect("a readable /proc");
    this.uid() != 0
}

/// Directory for what engines and tests keep: that of `KIND_E2E_SCRATCH`, where the tests run on another machine
/// than they were built on.
pub fn scratch(built: &str) -> PathBuf {
    std::env::var_os("KIND_E2E_SCRATCH").map_or_else(|| built.into(), PathBuf::from)
}

/// Parents of the cgroups of containers, in every hierarchy: what docker is told, and podman's own.
const PARENTS: [&str; 2] = [DOCKER_PARENT, "libpod_parent"];

/// The cgroup below which docker makes those of its containers.
pub(crate) const DOCKER_PARENT: &str = "kind-e2e-docker";

/// The parents that exist.
fn cgroups() -> BTreeSet<PathBuf> {
    let top = Path::new("/sys/fs/cgroup");
    let entries = fs::read_dir(top).into_iter().flatten().flatten();
    let hierarchies = entries.map(|entry| entry.path()).chain([top.to_owned()]);
    let parents = hierarchies.flat_map(|path| PARENTS.map(|name| path.join(name)));
    parents.filter(|path| path.is_dir()).collect()
}

/// Whether no process is in a cgroup or below it.
fn is_empty(directory: &Path) -> bool {
    let processes = fs::read_to_string(directory.join("cgroup.procs"));
    processes.is_ok_and(|processes| processes.is_empty())
        && below(directory).iter().all(|path| is_empty(path))
}

fn below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.map(|entry| entry.path());
    directories.filter(|path| path.is_dir()).collect()
}

fn remove_cgroup(directory: &Path) {
    for path in below(directory) {
        remove_cgroup(&path);
    }
    // What cannot be removed is found by those who compare the host with what it was.
    let _ = fs::remove_dir(directory);
}

/// A directory for what an engine keeps, empty at first, removed in the end.
#[derive(Debug)]
pub struct Kept(PathBuf);

impl Kept {
    /// Makes it. What an earlier run that was killed has left there goes.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(path: PathBuf) -> std::io::Result<Self> {
        let kept = Self(path);
        kept.remove();
        fs::create_dir_all(&kept.0)?;
        Ok(kept)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn remove(&self) {
        let _ = Command::new("rm")
            .args([OsStr::new("-rf"), self.0.as_os_str()])
            .status();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.remove();
    }
}
