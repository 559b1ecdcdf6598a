//! What the host must have for native nodes, checked before anything is made.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use kind_image::oci::Platform;
use kind_sys::cgroup::Hierarchies;

use crate::native::state::io_error;
use crate::{Code, Error, Info, Limits};

/// Free space below which no node is made, in bytes: what a new cluster writes in its first minutes.
const SPACE: u64 = 1 << 30;

/// Everything that the host lacks for native nodes whose state is to be below that directory. Nothing is made, but
/// the kernel may load a module.
pub fn find_host_problems(state: &Path) -> Vec<Error> {
    if let Err(error) = require_root() {
        // What only root may ask for says nothing.
        return vec![error];
    }
    let checks = [
        check_overlay(),
        check_nft(),
        check_space(state),
        find_hierarchies().map(drop),
    ];
    checks.into_iter().filter_map(Result::err).collect()
}

/// Checks the host. Every error names what is missing and how to get it.
pub(super) fn check_host(state: &Path) -> Result<Info, Error> {
    require_root()?;
    check_overlay()?;
    check_nft()?;
    check_space(state)?;
    let hierarchies = find_hierarchies()?;
    Ok(Info {
        rootless: false,
        cgroup2: hierarchies.unified(),
        limits: Limits::ALL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname: crate::own_hostname(),
        architecture: Platform::of_host().architecture,
        storage_driver: "overlay".to_owned(),
        backing_filesystem: String::new(),
        storage_dir: state.display().to_string(),
        containerd_images: false,
        user_namespaces: false,
        parallel_creates: true,
        warnings: Vec::new(),
    })
}

fn find_hierarchies() -> Result<Hierarchies, Error> {
    let hierarchies = Hierarchies::of_host().map_err(Error::io("read the mount table"))?;
    if hierarchies.all.is_empty() {
        return Err(Error::other(
            Code::NoCgroup,
            "no cgroup hierarchy is mounted on this host",
            "mount one: `mount -t cgroup2 none /sys/fs/cgroup`",
        ));
    }
    Ok(hierarchies)
}

/// Nodes are made of namespaces, mounts and links that only root may make.
pub(super) fn require_root() -> Result<(), Error> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Error::NotRoot)
}

fn check_overlay() -> Result<(), Error> {
    if has_overlay() {
        return Ok(());
    }
    // The module may just not be loaded yet.
    let _ = Command::new("modprobe")
        .arg("overlay")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if has_overlay() {
        return Ok(());
    }
    Err(Error::other(
        Code::NoOverlay,
        "this kernel has no overlayfs",
        "use a kernel with CONFIG_OVERLAY_FS (module `overlay`)",
    ))
}

fn has_overlay() -> bool {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    known.lines().any(|line| line.ends_with("\toverlay"))
}

/// Asks nft for the tables, which fails without the program and on a kernel without nf_tables.
fn check_nft() -> Result<(), Error> {
    let output = Command::new("nft").args(["list", "tables"]).output();
    match output {
        Err(_) => Err(kind_net::Error::NftMissing.into()),
        Ok(output) if !output.status.success() => {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(kind_net::Error::Nft(message).into())
        }
        Ok(_) => Ok(()),
    }
}

fn check_space(state: &Path) -> Result<(), Error> {
    let existing = state.ancestors().find(|path| path.exists());
    let existing = existing.unwrap_or(Path::new("/"));
    let stat = rustix::fs::statvfs(existing)
        .map_err(|error| io_error("measure the free space of", existing)(error.into()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free >= SPACE {
        return Ok(());
    }
    Err(Error::other(
        Code::DiskFull,
        format!("only {} MiB are free below {}", free >> 20, state.display()),
        "free at least 1 GiB there, or set KIND_STATE_DIR to a directory on another disk",
    ))
}
