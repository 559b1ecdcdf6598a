//! The device nodes of a privileged container.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode};

/// Devices that every container has, with their numbers.
const STANDARD: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

const LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("pts/ptmx", "ptmx"),
];

/// A device of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Path below `/dev`.
    pub path: PathBuf,
    mode: u32,
    number: u64,
    owner: (u32, u32),
}

/// Makes the devices and links of every container in `directory`, an empty `/dev`.
pub fn make_standard(directory: &Path) -> io::Result<()> {
    let mode = Mode::from_raw_mode(0o666);
    for (name, major, minor) in STANDARD {
        let path = directory.join(name);
        let number = rustix::fs::makedev(major, minor);
        rustix::fs::mknodat(CWD, &path, FileType::CharacterDevice, mode, number)?;
        // The umask does not reach chmod.
        rustix::fs::chmod(&path, mode)?;
    }
    for (target, name) in LINKS {
        symlink(target, directory.join(name))?;
    }
    Ok(())
}

/// The host's devices, except terminals and those that every container has for itself.
pub fn of_host() -> io::Result<Vec<Device>> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(directory) = pending.pop() {
        let Ok(entries) = fs::read_dir(Path::new("/dev").join(&directory)) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = directory.join(entry.file_name());
            // An entry that vanished meanwhile is no loss.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                if !matches!(path.to_str(), Some("pts" | "shm" | "mqueue" | "hugepages")) {
                    pending.push(path);
                }
            } else if is_device(&metadata) && !is_private(&path) {
                found.push(Device {
                    path,
                    mode: metadata.mode(),
                    number: metadata.rdev(),
                    owner: (metadata.uid(), metadata.gid()),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn is_device(metadata: &fs::Metadata) -> bool {
    metadata.file_type().is_char_device() || metadata.file_type().is_block_device()
}

/// Terminals belong to the host, and a systemd in the node would start a login on each.
fn is_private(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.starts_with("tty")
        || name.starts_with("vcs")
        || matches!(name.as_ref(), "console" | "ptmx")
        || STANDARD.iter().any(|(standard, ..)| *standard == name)
}

/// Makes a host's device in `directory`.
pub fn make(directory: &Path, device: &Device) -> io::Result<()> {
    let path = directory.join(&device.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let (kind, mode) = (
        FileType::from_raw_mode(device.mode),
        Mode::from_raw_mode(device.mode),
    );
    rustix::fs::mknodat(CWD, &path, kind, mode, device.number)?;
    rustix::fs::chmod(&path, mode)?;
    std::os::unix::fs::chown(&path, Some(device.owner.0), Some(device.owner.1))
}
