//! Layers that an image of the store lacks, unpacked again from their blobs: those of an earlier version.

use super::commit::move_unless_there;
use super::{Image, Store};
use crate::{Error, durable};

impl Store {
    /// Unpacks what of an image is not unpacked.
    ///
    /// # Errors
    /// A layer is missing that has no blob, or a blob is damaged.
    pub(super) fn restore_layers(&self, image: &Image) -> Result<(), Error> {
        let missing = |path: &std::path::PathBuf| !path.is_dir();
        if !image.layers.iter().any(missing) {
            return Ok(());
        }
        let draft = self.draft()?;
        let mut restored = Vec::new();
        let diff_ids = &image.config.rootfs.diff_ids;
        let layers = image
            .layers
            .iter()
            .zip(diff_ids)
            .zip(&image.manifest.layers);
        for (number, ((path, diff_id), descriptor)) in layers.enumerate() {
            let blob = self.blob_path(&descriptor.digest);
            if path.is_dir() {
                continue;
            }
            if !blob.exists() {
                return Err(Error::Incomplete {
                    image: image.digest.clone(),
                    what: format!("layer {diff_id}"),
                });
            }
            tracing::info!(layer = %diff_id, "unpacking a layer again");
            let below = image.layers[..number].iter().cloned();
            restored.push((draft.unpack_over(below, &blob, diff_id)?, path));
        }
        durable::flush_tree(self.root())?;
        let _lock = self.lock()?;
        restored
            .iter()
            .try_for_each(|(directory, path)| move_unless_there(directory, path))
    }
}
