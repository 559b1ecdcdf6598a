//! What a load balancer is not: root on a kernel that is the host's.
//!
//! It faces published ports, and needs nothing of a node but its network and its own files. Settings of the kernel are
//! guarded by who owns them, not by capabilities, so it runs as a user of its own, and they are read-only for whoever else
//! is in the container. What it never asks of the kernel it cannot ask.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;

use kind_sys::{mount, process, seccomp};

use crate::Error;

/// The user and group that it runs as: nobody's on usual hosts, and none of `nobody`'s.
const USER: u32 = 65_532;
/// Where its files are. It writes its settings anew when control planes come or go.
const DIRECTORY: &str = "/kind";
const FILES: &str = "load-balancer";
/// What of the kernel is shown, but cannot be changed.
const READ_ONLY: [&str; 6] = [
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/sys",
];
/// What of the kernel is not shown at all.
const HIDDEN: [&str; 5] = [
    "/proc/kcore",
    "/proc/keys",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/kmsg",
];

/// Takes away what could change the kernel, once nothing more is to be set.
pub(super) fn protect_kernel() -> Result<(), Error> {
    let present = |paths: &'static [&str]| {
        let paths = paths.iter().map(Path::new);
        paths.filter(|path| path.exists())
    };
    for path in present(&READ_ONLY) {
        let protected = mount::bind_read_only(path, path);
        protected.map_err(Error::io(format!("protect {}", path.display())))?;
    }
    for path in present(&HIDDEN) {
        let hidden = mount::bind(Path::new("/dev/null"), path);
        hidden.map_err(Error::io(format!("hide {}", path.display())))?;
    }
    Ok(())
}

/// Gives the load balancer its files, whoever has put them there.
pub(super) fn hand_over_files() -> Result<(), Error> {
    let hand_over = || -> io::Result<()> {
        let directory = Path::new(DIRECTORY);
        if !directory.is_dir() {
            return Ok(());
        }
        give(directory)?;
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let is_ours = entry.file_name().to_string_lossy().starts_with(FILES);
            if is_ours && entry.file_type()?.is_file() {
                give(&entry.path())?;
            }
        }
        Ok(())
    };
    hand_over().map_err(Error::io("give the load balancer its files"))
}

fn give(path: &Path) -> io::Result<()> {
    chown(path, Some(USER), Some(USER))
}

/// Makes the calling process the load balancer's.
pub(super) fn become_user() -> Result<(), Error> {
    process::drop_privileges(USER)
        .and_then(|()| seccomp::refuse_rare_calls())
        .map_err(Error::io("give up the privileges of root"))
}
