//! The `/var` of a node whose engine shares one between all nodes of an image.
//!
//! The engine shows the shared one at [`SHARED`] and gives the node an empty volume at `/var`. What the
//! image's containerd has unpacked is shown from there; everything else is copied, once. Files that were
//! put below `/var` before the first start are laid over that.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use kind_sys::mount::{self, Detached};
use kind_sys::tree;
use rustix::mount::{UnmountFlags, unmount};

use crate::boot::log;

const SHARED: &str = "/kind/shared-var";
const VAR: &str = "/var";
/// Where containerd keeps unpacked layers, below `/var`.
const SNAPSHOTS: &str = "lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots";
/// In `/var`, once everything is there.
const FILLED: &str = "/var/.kind-filled";
/// In `/var`, what was there before the first start; and while that is put by.
const GIVEN: &str = ".kind-given";
const GIVEN_PART: &str = ".kind-given.part";

/// Fills `/var` and becomes the command after `--`.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    let [dashes, program, rest @ ..] = arguments else {
        return crate::complain("shared-var takes `-- COMMAND`");
    };
    if dashes != "--" {
        return crate::complain("shared-var takes `-- COMMAND`");
    }
    let error = match fill() {
        Ok(()) => Command::new(program).args(rest).exec(),
        Err(error) => error,
    };
    log::error(format!("fill /var and run {}: {error}", program.display()));
    ExitCode::FAILURE
}

fn fill() -> io::Result<()> {
    let filled = Path::new(FILLED).exists();
    if !filled {
        put_by(Path::new(VAR))?;
    }
    if !Path::new(SHARED).join("done").exists() {
        log::warn("the shared /var is not whole, copying the image's");
        if !filled {
            copy_from_image()?;
        }
    } else {
        let source = Path::new(SHARED).join("var");
        let layers = unpacked(&source)?;
        if !filled {
            let kept: Vec<&Path> = layers.iter().map(PathBuf::as_path).collect();
            tree::copy(&source, Path::new(VAR), &kept)?;
        }
        for layer in &layers {
            // One that containerd has removed is not wanted any more.
            let target = Path::new(VAR).join(layer);
            if target.is_dir() {
                mount::bind_read_only(&source.join(layer), &target)?;
            }
        }
    }
    if !filled {
        lay_over(Path::new(VAR))?;
    }
    fs::write(FILLED, "")
}

/// Leaves nothing in a directory but [`GIVEN`], which holds what was there before the first start. What a
/// start that was cut short has left beside it goes.
fn put_by(var: &Path) -> io::Result<()> {
    let (given, part) = (var.join(GIVEN), var.join(GIVEN_PART));
    if !given.exists() {
        fs::create_dir_all(&part)?;
        for entry in fs::read_dir(var)? {
            let name = entry?.file_name();
            if name != GIVEN_PART {
                fs::rename(var.join(&name), part.join(&name))?;
            }
        }
        return fs::rename(part, given);
    }
    for entry in fs::read_dir(var)? {
        let entry = entry?;
        if entry.file_name() == GIVEN {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn lay_over(var: &Path) -> io::Result<()> {
    tree::copy(&var.join(GIVEN), var, &[])?;
    fs::remove_dir_all(var.join(GIVEN))
}

/// Directories of unpacked layers, below a `/var`.
fn unpacked(var: &Path) -> io::Result<Vec<PathBuf>> {
    let mut layers = Vec::new();
    for entry in fs::read_dir(var.join(SNAPSHOTS))? {
        let layer = Path::new(SNAPSHOTS).join(entry?.file_name()).join("fs");
        if fs::symlink_metadata(var.join(&layer)).is_ok_and(|layer| layer.is_dir()) {
            layers.push(layer);
        }
    }
    layers.sort();
    Ok(layers)
}

/// The image's own `/var` lies below the volume.
fn copy_from_image() -> io::Result<()> {
    let volume = Detached::copy(Path::new(VAR))?;
    unmount(VAR, UnmountFlags::DETACH)?;
    let beside = Path::new("/kind/var");
    fs::create_dir_all(beside)?;
    volume.attach(beside)?;
    tree::copy(Path::new(VAR), beside, &[])?;
    Detached::copy(beside)?.attach(Path::new(VAR))?;
    Ok(unmount(beside, UnmountFlags::DETACH)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacked_layers_are_found() {
        let var = tempfile::tempdir().unwrap();
        for name in ["2/fs", "10/fs", "10/work", "3/work"] {
            fs::create_dir_all(var.path().join(SNAPSHOTS).join(name)).unwrap();
        }
        fs::create_dir(var.path().join(SNAPSHOTS).join("4")).unwrap();
        std::os::unix::fs::symlink("/etc", var.path().join(SNAPSHOTS).join("4/fs")).unwrap();
        let names = ["10/fs", "2/fs"].map(|name| Path::new(SNAPSHOTS).join(name));
        assert_eq!(unpacked(var.path()).unwrap(), names);
    }

    #[test]
    fn files_given_before_the_first_start_stay() {
        let var = tempfile::tempdir().unwrap();
        let key = var.path().join("lib/kubelet/key");
        fs::create_dir_all(key.parent().unwrap()).unwrap();
        fs::write(&key, "secret").unwrap();
        put_by(var.path()).unwrap();
        // A start that is cut short here has copied a part.
        fs::create_dir_all(var.path().join("lib/half")).unwrap();
        put_by(var.path()).unwrap();
        assert!(!var.path().join("lib").exists());
        fs::create_dir_all(var.path().join("lib/whole")).unwrap();
        lay_over(var.path()).unwrap();
        assert_eq!(fs::read_to_string(key).unwrap(), "secret");
        assert!(var.path().join("lib/whole").exists());
        assert_eq!(fs::read_dir(var.path()).unwrap().count(), 1);
    }
}
