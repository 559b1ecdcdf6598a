//! The order of a load.

use super::options::LoadImages;
use super::{archives, nodes, stored};
use crate::event::Listener;
use crate::{Provider, Result};

impl Provider {
    /// Loads images into nodes. Of each image a node is sent only what it lacks.
    ///
    /// # Errors
    /// [`Error::NoNodes`], [`Error::UnknownNode`], [`Error::ImageNotPresent`], or whatever a node could
    /// not load.
    ///
    /// [`Error::NoNodes`]: crate::Error::NoNodes
    /// [`Error::UnknownNode`]: crate::Error::UnknownNode
    /// [`Error::ImageNotPresent`]: crate::Error::ImageNotPresent
    pub fn load_images(&self, options: LoadImages, listener: Listener<'_>) -> Result<()> {
        load_into_nodes(self, options, listener)
    }
}

/// Loads archives, one after the other, and then images of the engine's store, each into all nodes at once.
fn load_into_nodes(
    provider: &Provider,
    mut options: LoadImages,
    listener: Listener<'_>,
) -> Result<()> {
    archives::check_archives(&options)?;
    let images = stored::find_stored(provider, &options)?;
    let names = nodes::select_nodes(provider, &options)?;
    for archive in std::mem::take(&mut options.archives) {
        options.cancel.check()?;
        archives::load_archives(provider, &options, &names, archive, listener)?;
    }
    if images.is_empty() {
        return Ok(());
    }
    options.cancel.check()?;
    stored::load_stored(provider, &options, &names, &images, listener)
}
