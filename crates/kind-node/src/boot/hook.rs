//! A step of every container's creation on the node (an OCI `createContainer` hook): what
//! [`super::identity`] hides from the node is hidden from its containers too, which have a sysfs of
//! their own.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kind_sys::mount;
use serde::Deserialize;

use super::Error;
use super::error::during_step;
use super::identity::{PRODUCT_NAME, PRODUCT_UUID};

/// The state that the runtime writes to a hook's stdin (OCI runtime specification, "State").
#[derive(Deserialize)]
struct State {
    bundle: PathBuf,
}

/// The part of a container's configuration that matters here.
#[derive(Deserialize)]
struct Configuration {
    root: Root,
}

#[derive(Deserialize)]
struct Root {
    path: PathBuf,
}

/// Binds the node's product name and UUID over those of a container that is being made. It runs in
/// the mount namespace of the container, so whatever paths an image holds, nothing else changes.
pub(super) fn show_product(node: &Path, state: impl Read) -> Result<(), Error> {
    let root = container_root(state).map_err(during_step("find the container's root"))?;
    let name = (node.join("kind/product_name"), PRODUCT_NAME);
    let uuid = PRODUCT_UUID.map(|path| (node.join("kind/product_uuid"), path));
    for (source, target) in [name].into_iter().chain(uuid) {
        let target = root.join(target.trim_start_matches('/'));
        if source.exists() && target.exists() {
            mount::bind_read_only(&source, &target)
                .map_err(during_step(format!("bind over {}", target.display())))?;
        }
    }
    Ok(())
}

fn container_root(state: impl Read) -> io::Result<PathBuf> {
    let state: State = serde_json::from_reader(state)?;
    let text = fs::read_to_string(state.bundle.join("config.json"))?;
    let configuration: Configuration = serde_json::from_str(&text)?;
    Ok(state.bundle.join(configuration.root.path))
}

#[cfg(test)]
mod tests {
    use kind_testkit::machine::require_root;

    use super::*;

    #[test]
    fn the_root_is_relative_to_the_bundle_or_absolute() {
        let bundle = tempfile::tempdir().unwrap();
        for (path, expected) in [
            ("rootfs", bundle.path().join("rootfs")),
            ("/run/rootfs", PathBuf::from("/run/rootfs")),
        ] {
            let config = serde_json::json!({ "ociVersion": "1.0.2", "root": { "path": path } });
            fs::write(bundle.path().join("config.json"), config.to_string()).unwrap();
            let state = serde_json::json!({ "id": "x", "pid": 1, "bundle": bundle.path() });
            let root = container_root(state.to_string().as_bytes()).unwrap();
            assert_eq!(root, expected);
        }
    }

    #[test]
    fn a_container_is_made_with_the_nodes_product() {
        require_root();
        // The thread, and with it the namespace, ends with the test.
        let test = std::thread::spawn(|| {
            kind_sys::namespace::unshare_mounts().unwrap();
            mount::make_all_private().unwrap();
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            super::super::text::write_text(&path("kind/product_name"), "kind\n").unwrap();
            let dmi = format!("rootfs{PRODUCT_NAME}");
            super::super::text::write_text(&path(&dmi), "Some Cloud\n").unwrap();
            fs::write(path("config.json"), r#"{"root":{"path":"rootfs"}}"#).unwrap();
            let state = serde_json::json!({ "bundle": directory.path() }).to_string();
            show_product(directory.path(), state.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(path(&dmi)).unwrap(), "kind\n");
            rustix::mount::unmount(path(&dmi), rustix::mount::UnmountFlags::DETACH).unwrap();
        });
        test.join().unwrap();
    }
}
