//! The root that is thrown away, in which an image's own containerd unpacks the images that it has packed.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::Command;

use kind_sys::mount::{self, DetachedMount};
use kind_sys::{device, namespace, tree};
use rustix::mount::MountFlags;

use crate::native::containerd::SNAPSHOTTER;
use crate::native::record::PATH;
use crate::native::state::io_error;
use crate::{Code, Error};

const SCRIPT: &str = concat!(
    "mount -t proc proc /proc\n",
    include_str!("../../unpack.sh")
);
/// Where a helper shows the directory it works in.
const WORKPLACE: &str = "/run/prepared";

/// Unpacks an image's images.
pub(in crate::native) fn unpack_images(directory: &Path, layers: &[PathBuf]) -> Result<i32, Error> {
    let path = directory.join("log");
    let mut log = File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(io_error("write", &path))?;
    enter_root(directory, layers).map_err(Error::io("make a root of the node image"))?;
    let snapshotter = Path::new("/var/lib/containerd").join(SNAPSHOTTER);
    let failed = || "show containerd a place for its snapshots";
    let workplace = Path::new(WORKPLACE);
    tree::copy(&snapshotter, &workplace.join("snapshotter"), &[])
        .and_then(|()| fs::create_dir_all(&snapshotter))
        .and_then(|()| mount::bind(&workplace.join("snapshotter"), &snapshotter))
        .map_err(Error::io(failed()))?;
    let outputs = log.try_clone().and_then(|out| Ok((out, log.try_clone()?)));
    let (out, errors) = outputs.map_err(Error::io("write a log"))?;
    namespace::unshare_child_pids().map_err(Error::io("make a process namespace"))?;
    let status = Command::new("sh")
        .args(["-eu", "-c", SCRIPT])
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", "/root")
        .stdout(out)
        .stderr(errors)
        .status()
        .map_err(Error::io("run a shell of the node image"))?;
    if !status.success() {
        return Err(Error::other(
            Code::Prepare,
            format!(
                "the node image's containerd does not unpack its images: {}",
                read_tail(&mut log)
            ),
            "",
        ));
    }
    let kept = [Path::new(SNAPSHOTTER)];
    let target = workplace.join("containerd");
    tree::copy(Path::new("/var/lib/containerd"), &target, &kept)
        .map_err(Error::io("keep what containerd has noted"))?;
    Ok(0)
}

/// Makes an overlay of the layers the root of this process, with a containerd's needs and the directory
/// that it works in.
fn enter_root(directory: &Path, layers: &[PathBuf]) -> std::io::Result<()> {
    namespace::unshare_mounts()?;
    namespace::unshare_network()?;
    let workplace = DetachedMount::copy(directory)?;
    mount::make_all_private()?;
    let root = directory.join("root");
    mount::overlay(
        layers,
        &directory.join("upper"),
        &directory.join("work"),
        &root,
    )?;
    mount::pivot(&root)?;
    let flags = MountFlags::NOSUID;
    for (target, options) in [
        ("/dev", "mode=755,size=1m"),
        ("/run", "mode=755"),
        ("/tmp", "mode=1777"),
    ] {
        fs::create_dir_all(target)?;
        mount::filesystem("tmpfs", Path::new(target), flags, options)?;
    }
    device::make_standard(Path::new("/dev"))?;
    fs::create_dir_all("/proc")?;
    fs::create_dir_all("/var/lib/containerd")?;
    fs::create_dir(WORKPLACE)?;
    workplace.attach_at(Path::new(WORKPLACE))
}

/// The last lines of a log.
fn read_tail(log: &mut File) -> String {
    let mut text = Vec::new();
    if log.rewind().is_ok() {
        // What cannot be read is not told.
        let _ = log.read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}
