//! Making and entering namespaces.
//!
//! All of these act on the calling thread, so only a single-threaded process may call them.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use rustix::thread::{LinkNameSpaceType, ThreadNameSpaceType, UnshareFlags};

/// The namespaces that a node has for itself, beside its pid namespace.
const NODE: UnshareFlags = UnshareFlags::NEWNS
    .union(UnshareFlags::NEWUTS)
    .union(UnshareFlags::NEWIPC)
    .union(UnshareFlags::NEWNET)
    .union(UnshareFlags::NEWCGROUP);

/// Moves the calling process into new mount, UTS, IPC, network and cgroup namespaces.
/// The root of the cgroup namespace is the cgroup the process is in at that moment.
pub fn unshare_for_node() -> io::Result<()> {
    unshare(NODE)
}

/// Moves the calling process into a new mount namespace.
pub fn unshare_mounts() -> io::Result<()> {
    unshare(UnshareFlags::NEWNS)
}

/// Moves the calling thread into a new network namespace.
pub fn unshare_network() -> io::Result<()> {
    unshare(UnshareFlags::NEWNET)
}

/// Makes the caller's next child the first process of a new pid namespace.
///
/// Until [`restore_child_pids`] is called, the caller can start neither threads nor other children.
pub fn unshare_child_pids() -> io::Result<()> {
    unshare(UnshareFlags::NEWPID)
}

/// Undoes [`unshare_child_pids`] for the children to come.
pub fn restore_child_pids() -> io::Result<()> {
    let own = File::open("/proc/self/ns/pid")?;
    Ok(rustix::thread::move_into_link_name_space(
        own.as_fd(),
        Some(LinkNameSpaceType::ProcessID),
    )?)
}

/// Enters all the namespaces that `pid` has for itself; a child started next is in its pid namespace.
pub fn enter_node(pid: rustix::process::Pid) -> io::Result<()> {
    enter(
        pid,
        ThreadNameSpaceType::MOUNT
            | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
            | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
            | ThreadNameSpaceType::NETWORK
            | ThreadNameSpaceType::PROCESS_ID
            | ThreadNameSpaceType::CONTROL_GROUP,
    )
}

/// Enters the mount namespace of `pid`; the caller's root becomes that namespace's root.
pub fn enter_mounts(pid: rustix::process::Pid) -> io::Result<()> {
    enter(pid, ThreadNameSpaceType::MOUNT)
}

fn enter(pid: rustix::process::Pid, namespaces: ThreadNameSpaceType) -> io::Result<()> {
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
    Ok(rustix::thread::move_into_thread_name_spaces(
        pidfd.as_fd(),
        namespaces,
    )?)
}

fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: the call is unsafe for CLONE_FILES only, which gives threads of one process different
    // descriptor tables; no caller in this module passes it.
    Ok(unsafe { rustix::thread::unshare_unsafe(flags) }?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;
    use std::thread;

    use kind_testkit::machine::require_root;

    use super::*;

    /// The calling thread's namespace of that kind.
    fn own(kind: &str) -> PathBuf {
        fs::read_link(format!("/proc/thread-self/ns/{kind}")).unwrap()
    }

    #[test]
    fn a_thread_leaves_a_namespace_alone() {
        require_root();
        let work = || {
            let before = ["net", "mnt"].map(own);
            unshare_network().unwrap();
            assert_ne!(own("net"), before[0]);
            assert_eq!(own("mnt"), before[1]);
            unshare_mounts().unwrap();
            assert_ne!(own("mnt"), before[1]);
        };
        let before = ["net", "mnt"].map(own);
        thread::spawn(work).join().unwrap();
        assert_eq!(["net", "mnt"].map(own), before);
    }

    #[test]
    fn the_next_child_is_the_first_of_its_namespace() {
        require_root();
        let pid = || {
            let output = Command::new("sh").args(["-c", "echo $$"]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let work = move || {
            unshare_child_pids().unwrap();
            let first = pid();
            restore_child_pids().unwrap();
            (first, pid())
        };
        let (first, later) = thread::spawn(work).join().unwrap();
        assert_eq!(first, "1\n");
        assert_ne!(later, "1\n");
    }
}
