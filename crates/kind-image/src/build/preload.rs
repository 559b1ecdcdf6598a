//! Images in containerd's store, put there by containerd itself.

use std::io::{self, Write};
use std::path::Path;

use super::cache::StepContext;
use super::chroot::Chroot;
use super::components::{self, ImageInputs, Names};
use super::tree;
use super::{Error, Packing};
use crate::archive;
use crate::store::Store;

/// The script that a preload runs; a part of its key.
pub(super) fn preload_script(packing: Packing) -> &'static str {
    match packing {
        Packing::Unpacked => include_str!("files/preload.sh"),
        Packing::Packed => include_str!("files/preload-packed.sh"),
    }
}

/// Name in [`StepContext::directory`] of the directory that becomes a layer.
pub(super) const LAYER: &str = "layer";

/// Makes the add-ons' and control plane's images and puts them into a containerd store, which becomes
/// `layer/var/lib/containerd` of the step's result.
pub(super) fn preload_images(
    work: &StepContext<'_>,
    scratch: &Path,
    names: &Names,
    from: &ImageInputs<'_>,
    packing: Packing,
) -> Result<(), Error> {
    let store = Store::open(&scratch.join("store"))?;
    let images = components::make_component_images(work, &store, scratch, names, from)?;
    let target = work.directory.join(LAYER).join("var/lib/containerd");
    tree::make_directory(&target)?;
    let chroot = Chroot::new(from.node_root).bind_directory(&target, "/var/lib/containerd");
    // From 2.0 on, `ctr` lets the daemon import unless it is told not to; that needs more of its plugins.
    let options: &[&str] = if from.packages.has_release("containerd", (2, 0)) {
        &["--local"]
    } else {
        &[]
    };
    work.feed_command(
        chroot.script(preload_script(packing), options),
        &parse_unpacked,
        |input| {
            let mut input = io::BufWriter::with_capacity(1 << 20, input);
            archive::write(&store, &images, &mut input)?;
            input.flush().map_err(|source| Error::Io {
                action: "hand images to containerd".to_owned(),
                source,
            })
        },
    )
}

/// `ctr` prints a line for each image it unpacks: `unpacking NAME (DIGEST)...done`.
fn parse_unpacked(line: &str) -> Option<String> {
    let name = line.strip_prefix("unpacking ")?.split(' ').next()?;
    Some(format!("unpacked {name}"))
}
