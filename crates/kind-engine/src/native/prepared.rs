//! Node images whose containers' images are packed, as published ones are: unpacked once on a host, and
//! shown read-only to all nodes.
//!
//! ```text
//! prepared/DIGEST/containerd/   what takes the place of the image's /var/lib/containerd
//! prepared/DIGEST.lock          held by whoever makes or removes it
//! prepared/DIGEST.new/          one in the making
//! ```
//!
//! The image's own containerd does it, in a root that is thrown away. An image on which that fails is used
//! as it is: then every node unpacks for itself.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kind_image::store::Image;
use kind_sys::mount::{self, Detached};
use kind_sys::{device, namespace, process, tree};
use rustix::mount::MountFlags;

use super::helper::{Helper, Task};
use super::state::{State, io_error, lock_file, make_directory};
use super::varfs;
use crate::{Error, NodeSpec, Purpose};

const CONTENT: &str = "var/lib/containerd/io.containerd.content.v1.content/blobs/sha256";
/// Documents of images are small; anything above this is packed layers.
const PACKED: u64 = 16 << 20;
const SCRIPT: &str = concat!("mount -t proc proc /proc\n", include_str!("../unpack.sh"));
/// Where a helper shows the directory it works in.
const WORKPLACE: &str = "/run/prepared";

/// The directory that takes the place of `/var/lib/containerd` in nodes of this image; `None` if they
/// have to use the image's own.
pub(super) fn ensure(
    state: &State,
    helper: &Path,
    image: &Image,
    spec: &NodeSpec,
) -> Option<PathBuf> {
    if !is_wanted(spec) || !is_packed(image.layers()) || !is_native(image) {
        return None;
    }
    match make(state, helper, image) {
        Ok(directory) => Some(directory),
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(image = %image.digest(), %error, source, "every node unpacks images for itself");
            None
        }
    }
}

/// What is unpacked is for one way of keeping layers only, and for nodes that run containers.
fn is_wanted(spec: &NodeSpec) -> bool {
    let snapshotter = spec.env.get("KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER");
    let usual = snapshotter.is_none_or(|name| name.is_empty() || name == "overlayfs");
    usual && spec.purpose == Purpose::Kubernetes
}

fn is_packed(layers: &[PathBuf]) -> bool {
    let blobs = layers
        .iter()
        .filter_map(|layer| varfs::real_directory(layer, Path::new(CONTENT)))
        .flat_map(|directory| fs::read_dir(directory).into_iter().flatten().flatten());
    let sizes = blobs.filter_map(|blob| blob.metadata().ok().map(|blob| blob.len()));
    sizes.sum::<u64>() > PACKED
}

fn is_native(image: &Image) -> bool {
    let host = kind_image::oci::Platform::of_host().architecture;
    image.architecture() == host
}

fn make(state: &State, helper: &Path, image: &Image) -> Result<PathBuf, Error> {
    let prepared = state.prepared();
    let place = prepared.join(image.digest().hex());
    if place.exists() {
        return Ok(place.join("containerd"));
    }
    make_directory(&prepared)?;
    let path = place.with_extension("lock");
    let lock = lock_file(&path)?;
    lock.lock().map_err(io_error("lock", &path))?;
    if place.exists() {
        return Ok(place.join("containerd"));
    }
    let aside = place.with_extension("new");
    let made = unpack(state, helper, image, &aside);
    let moved = made.and_then(|()| fs::rename(&aside, &place).map_err(io_error("make", &place)));
    if moved.is_err() {
        let _ = fs::remove_dir_all(&aside);
    }
    moved.map(|()| place.join("containerd"))
}

/// Fills `aside` with the unpacked images and nothing else.
fn unpack(state: &State, helper: &Path, image: &Image, aside: &Path) -> Result<(), Error> {
    let _ = fs::remove_dir_all(aside);
    for part in ["upper", "work", "root", "containerd", "snapshotter"] {
        make_directory(&aside.join(part))?;
    }
    let task = Task::Prepare {
        directory: aside.to_owned(),
        layers: image.layers().to_vec(),
    };
    let mut running = Helper::new(helper, state, image.digest().hex(), task)?;
    running.command.stdin(Stdio::null()).stdout(Stdio::null());
    process::die_with_parent(&mut running.command);
    running.run()?;
    let own = aside.join("containerd").join(SNAPSHOTTER_ROOT);
    // The copy has an empty directory where the snapshotter's belongs.
    fs::remove_dir(&own).map_err(io_error("move", &own))?;
    fs::rename(aside.join("snapshotter"), &own).map_err(io_error("move", &own))?;
    for part in ["upper", "work", "root", "log"] {
        let path = aside.join(part);
        let removed = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        removed.map_err(io_error("remove", &path))?;
    }
    let written = File::open(aside).map(|directory| rustix::fs::syncfs(&directory));
    written.map(drop).map_err(io_error("write", aside))
}

/// The snapshotter's directory below containerd's.
const SNAPSHOTTER_ROOT: &str = "io.containerd.snapshotter.v1.overlayfs";

/// Unpacks an image's images. The helper's side.
pub(super) fn run(directory: &Path, layers: &[PathBuf]) -> Result<i32, Error> {
    let path = directory.join("log");
    let mut log = File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(io_error("write", &path))?;
    enter(directory, layers).map_err(Error::io("make a root of the node image"))?;
    let snapshotter = Path::new("/var/lib/containerd").join(SNAPSHOTTER_ROOT);
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
        .env("PATH", super::engine::PATH)
        .env("HOME", "/root")
        .stdout(out)
        .stderr(errors)
        .status()
        .map_err(Error::io("run a shell of the node image"))?;
    if !status.success() {
        return Err(Error::other(
            "ENG-PREPARE",
            format!(
                "the node image's containerd does not unpack its images: {}",
                tail(&mut log)
            ),
            "",
        ));
    }
    let kept = [Path::new(SNAPSHOTTER_ROOT)];
    let target = workplace.join("containerd");
    tree::copy(Path::new("/var/lib/containerd"), &target, &kept)
        .map_err(Error::io("keep what containerd has noted"))?;
    Ok(0)
}

/// Makes an overlay of the layers the root of this process, with a containerd's needs and the directory
/// that it works in.
fn enter(directory: &Path, layers: &[PathBuf]) -> std::io::Result<()> {
    namespace::unshare_mounts()?;
    namespace::unshare_network()?;
    let workplace = Detached::copy(directory)?;
    mount::isolate()?;
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
    workplace.attach(Path::new(WORKPLACE))
}

/// The last lines of a log.
fn tail(log: &mut File) -> String {
    let mut text = Vec::new();
    if log.rewind().is_ok() {
        // What cannot be read is not told.
        let _ = log.read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn packed_images_are_told_by_their_blobs() {
        let place = tempfile::tempdir().unwrap();
        let layers = ["plain", "unpacked", "packed"].map(|name| place.path().join(name));
        fs::create_dir_all(layers[0].join("usr")).unwrap();
        for (layer, size) in [(&layers[1], 1000), (&layers[2], PACKED + 1)] {
            fs::create_dir_all(layer.join(CONTENT)).unwrap();
            let blob = File::create(layer.join(CONTENT).join("abc")).unwrap();
            blob.set_len(size).unwrap();
        }
        assert!(!is_packed(&layers[..2]));
        assert!(is_packed(&layers));
    }

    #[test]
    fn another_snapshotter_wants_the_packed_images() {
        assert!(is_wanted(&NodeSpec::default()));
        for (name, wanted) in [("", true), ("overlayfs", true), ("native", false)] {
            let key = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER".to_owned();
            let spec = NodeSpec {
                env: BTreeMap::from([(key, name.to_owned())]),
                ..NodeSpec::default()
            };
            assert_eq!(is_wanted(&spec), wanted, "{name}");
        }
    }
}
