//! Mounts, in the words a node's root filesystem needs.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
pub use rustix::mount::MountPropagationFlags;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};

/// Stops mounts of the calling namespace from propagating to any other.
pub fn make_all_private() -> io::Result<()> {
    set_propagation(Path::new("/"), MountPropagationFlags::PRIVATE)
}

/// Sets how mounts below `target` propagate, recursively.
pub fn set_propagation(target: &Path, propagation: MountPropagationFlags) -> io::Result<()> {
    let recursive = propagation | MountPropagationFlags::REC;
    Ok(rustix::mount::mount_change(target, recursive)?)
}

/// Mounts a filesystem with options such as `mode=755,size=64m`.
pub fn filesystem(kind: &str, target: &Path, flags: MountFlags, options: &str) -> io::Result<()> {
    let options = CString::new(options)?;
    Ok(rustix::mount::mount(
        kind,
        target,
        kind,
        flags,
        Some(options.as_c_str()),
    )?)
}

/// An overlay of read-only directories, the lowest first, and a writable one.
pub fn overlay(lower: &[PathBuf], upper: &Path, work: &Path, target: &Path) -> io::Result<()> {
    let mut options = b"lowerdir=".to_vec();
    // overlayfs wants the topmost directory first.
    for (index, directory) in lower.iter().rev().enumerate() {
        if index > 0 {
            options.push(b':');
        }
        options.extend(escape_directory(directory));
    }
    options.extend(b",upperdir=");
    options.extend(escape_directory(upper));
    options.extend(b",workdir=");
    options.extend(escape_directory(work));
    // mount(2) takes one page of options and cuts the rest off without a word.
    if options.len() >= rustix::param::page_size() {
        return Err(io::Error::new(
            io::ErrorKind::ArgumentListTooLong,
            "too many image layers for one overlay mount",
        ));
    }
    let options = CString::new(options)?;
    Ok(rustix::mount::mount(
        "overlay",
        target,
        "overlay",
        MountFlags::empty(),
        Some(options.as_c_str()),
    )?)
}

/// `:` and `,` separate directories and options of an overlay, `\` escapes them.
fn escape_directory(directory: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for &byte in directory.as_os_str().as_bytes() {
        if matches!(byte, b':' | b',' | b'\\') {
            bytes.push(b'\\');
        }
        bytes.push(byte);
    }
    bytes
}

/// Shows `source` at `target` too.
pub fn bind(source: &Path, target: &Path) -> io::Result<()> {
    Ok(rustix::mount::mount_bind(source, target)?)
}

/// Shows `source` at `target` too, without writes.
pub fn bind_read_only(source: &Path, target: &Path) -> io::Result<()> {
    bind(source, target)?;
    read_only(target)
}

/// Forbids writes through the mount at `target`, which keeps its other flags.
pub fn read_only(target: &Path) -> io::Result<()> {
    use rustix::fs::StatVfsMountFlags as Have;
    let have = rustix::fs::statvfs(target)?.f_flag;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for (present, keep) in [
        (Have::NOSUID, MountFlags::NOSUID),
        (Have::NODEV, MountFlags::NODEV),
        (Have::NOEXEC, MountFlags::NOEXEC),
        (Have::NOATIME, MountFlags::NOATIME),
        (Have::RELATIME, MountFlags::RELATIME),
    ] {
        if have.contains(present) {
            flags |= keep;
        }
    }
    Ok(rustix::mount::mount_remount(target, flags, "")?)
}

/// A copy of a mount tree that is not attached anywhere yet. It keeps the propagation of its source.
#[derive(Debug)]
pub struct DetachedMount(OwnedFd);

impl DetachedMount {
    /// Copies the tree of mounts at `source`.
    pub fn copy(source: &Path) -> io::Result<Self> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_RECURSIVE;
        Ok(Self(rustix::mount::open_tree(CWD, source, flags)?))
    }

    /// Attaches the tree at `target`.
    pub fn attach_at(self, target: &Path) -> io::Result<()> {
        Ok(rustix::mount::move_mount(
            self.0.as_fd(),
            "",
            CWD,
            target,
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
        )?)
    }
}

/// Makes `root`, a mount point, the root of the calling process and of its mount namespace, and lets
/// the old root go.
pub fn pivot(root: &Path) -> io::Result<()> {
    rustix::process::chdir(root)?;
    // The old root lands on top of the new one and is taken off again: no directory for it is needed.
    rustix::process::pivot_root(".", ".")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH)?;
    Ok(rustix::process::chdir("/")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlay_options_escape_separators() {
        assert_eq!(escape_directory(Path::new("/a:b,c\\d")), b"/a\\:b\\,c\\\\d");
    }
}
