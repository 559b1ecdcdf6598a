//! The node image from Debian's packages as an archive, for engines that keep images of their own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use kind_image::archive::{self, Archive};
use kind_image::oci::Platform;
use kind_image::store::Store;

use crate::Failure;
use crate::programs;
use crate::shell::{self, program};

/// The image's name.
pub(crate) const IMAGE: &str = "docker.io/kindest/node:debian";

const NAMELESS: &str = "the node image has no name";

/// Builds the image with this `kind` and these further arguments, writes it as an archive and returns its path.
pub(crate) fn archive(kind: &Path, arguments: &[&str]) -> Result<PathBuf, Failure> {
    let state = programs::directory().join("node-image");
    build(kind, &state, arguments)?;
    let store = Store::open(&state.join("images"))?;
    let image = store.find_image(IMAGE)?;
    let image = image.ok_or("the image that was built is missing")?;
    let path = programs::directory().join("kind-node-image.tar");
    archive::write(&store, &[image], File::create(&path)?)?;
    Ok(path)
}

/// Puts the image in an archive into the native engine's store in a state directory, and says what it is called.
pub(crate) fn store_archive(archive: &Path, state: &Path) -> Result<String, Failure> {
    let store = Store::open(&state.join("images"))?;
    let images = archive::read(&store, File::open(archive)?)?;
    let names = images.iter().flat_map(|image| image.references());
    let name = names.last().ok_or(NAMELESS)?;
    Ok(name.to_string())
}

/// What the image in an archive is called, which an engine has loaded.
pub(crate) fn name_in_archive(archive: &Path, spool: &Path) -> Result<String, Failure> {
    let images = Archive::open_file(archive, spool)?.images(&Platform::of_host())?;
    let names = images.iter().flat_map(|image| image.names());
    let name = names.last().ok_or(NAMELESS)?;
    Ok(name.to_string())
}

/// Builds the image into the native engine's store in a state directory.
pub(crate) fn build(kind: &Path, state: &Path, arguments: &[&str]) -> Result<(), Failure> {
    fs::create_dir_all(state)?;
    shell::run(
        program(kind)
            .args(["--provider", "native", "build", "node-image", "debian"])
            .args(["--image", IMAGE])
            .args(arguments)
            .env("KIND_STATE_DIR", state),
    )
}
