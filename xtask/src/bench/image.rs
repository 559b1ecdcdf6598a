//! The image that is loaded: 500 MB in twenty layers.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use kind_image::oci::{ImageConfig, Platform};
use kind_image::store::{Placement, Store};

use crate::Failure;

const LAYERS: usize = 20;
const LAYER_BYTES: u64 = 25_000_000;

/// Two archives of one name, whose last layers differ.
pub(super) struct Archives {
    pub(super) first: PathBuf,
    pub(super) changed: PathBuf,
}

/// Writes both below a directory.
pub(super) fn write_archives(directory: &Path) -> Result<Archives, Failure> {
    let store = Store::open(&directory.join("store"))?;
    let root = directory.join("root");
    let archives = Archives {
        first: directory.join("first.tar"),
        changed: directory.join("changed.tar"),
    };
    let mut layers = Vec::new();
    for path in [&archives.first, &archives.changed] {
        let mut draft = store.draft()?;
        layers.truncate(LAYERS - 1);
        for layer in &layers {
            draft.add_known(layer);
        }
        for index in layers.len()..LAYERS {
            fs::create_dir_all(&root)?;
            write_noise(&root.join(format!("file-{index}")))?;
            layers.push(draft.add_directory(&root, Placement::Move)?);
        }
        let config = ImageConfig {
            architecture: Platform::of_host().architecture,
            os: "linux".to_owned(),
            ..ImageConfig::default()
        };
        let image = draft.commit(config, &["docker.io/library/bench:v1".parse()?])?;
        kind_image::archive::write(&store, &[image], File::create(path)?)?;
    }
    Ok(archives)
}

/// What no compression makes smaller.
fn write_noise(path: &Path) -> Result<(), Failure> {
    let mut noise = File::open("/dev/urandom")?.take(LAYER_BYTES);
    let mut file = File::create(path)?;
    std::io::copy(&mut noise, &mut file)?;
    Ok(file.flush()?)
}
