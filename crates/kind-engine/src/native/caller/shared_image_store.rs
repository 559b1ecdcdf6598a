//! Node images whose containers' images are packed, as published ones are: unpacked once on a host, and
//! shown read-only to all nodes.
//!
//! ```text
//! prepared/DIGEST/containerd/   what takes the place of the image's /var/lib/containerd
//! prepared/DIGEST.lock          held by whoever makes or removes it
//! prepared/DIGEST.new/          one in the making
//! ```
//!
//! The image's own containerd does it, in a root that is thrown away (`helper/shared_image_store.rs`). An image on
//! which that fails is used as it is: then every node unpacks for itself.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kind_image::store::Image;
use kind_sys::process;

use super::image_snapshots;
use crate::native::call::{Helper, Task};
use crate::native::containerd::SNAPSHOTTER;
use crate::native::state::{State, io_error, lock_file, make_directory};
use crate::{Error, NodeSpec, Purpose};

const CONTENT: &str = "var/lib/containerd/io.containerd.content.v1.content/blobs/sha256";
/// Documents of images are small; anything above this is packed layers.
const PACKED: u64 = 16 << 20;

/// The directory that takes the place of `/var/lib/containerd` in nodes of this image; `None` if they
/// have to use the image's own.
pub(super) fn ensure_shared_image_store(
    state: &State,
    helper: &Path,
    image: &Image,
    spec: &NodeSpec,
) -> Option<PathBuf> {
    if !is_wanted(spec) || !is_packed(image.layers()) || !is_native(image) {
        return None;
    }
    match make_shared_image_store(state, helper, image) {
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
        .filter_map(|layer| image_snapshots::real_directory(layer, Path::new(CONTENT)))
        .flat_map(|directory| fs::read_dir(directory).into_iter().flatten().flatten());
    let sizes = blobs.filter_map(|blob| blob.metadata().ok().map(|blob| blob.len()));
    sizes.sum::<u64>() > PACKED
}

fn is_native(image: &Image) -> bool {
    let host = kind_image::oci::Platform::of_host().architecture;
    image.architecture() == host
}

fn make_shared_image_store(state: &State, helper: &Path, image: &Image) -> Result<PathBuf, Error> {
    let stores = state.shared_image_stores();
    let place = stores.join(image.digest().hex());
    if place.exists() {
        return Ok(place.join("containerd"));
    }
    make_directory(&stores)?;
    let path = place.with_extension("lock");
    let lock = lock_file(&path)?;
    lock.lock().map_err(io_error("lock", &path))?;
    if place.exists() {
        return Ok(place.join("containerd"));
    }
    let aside = place.with_extension("new");
    let made = unpack_in_helper(state, helper, image, &aside);
    let moved = made.and_then(|()| fs::rename(&aside, &place).map_err(io_error("make", &place)));
    if moved.is_err() {
        let _ = fs::remove_dir_all(&aside);
    }
    moved.map(|()| place.join("containerd"))
}

/// Fills `aside` with the unpacked images and nothing else.
fn unpack_in_helper(
    state: &State,
    helper: &Path,
    image: &Image,
    aside: &Path,
) -> Result<(), Error> {
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
    running.run_helper()?;
    let own = aside.join("containerd").join(SNAPSHOTTER);
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
