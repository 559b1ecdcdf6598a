//! The order of a load.

use std::time::Duration;

use super::loaded::LoadedImage;
use super::options::LoadImages;
use super::{archives, nodes, stored};
use crate::abandon::run_abandonable;
use crate::event::Listener;
use crate::leftover::Leftover;
use crate::{Provider, Result};

/// How long nodes may take to notice that no more of an image comes.
const GRACE: Duration = Duration::from_secs(2);

impl Provider {
    /// Loads images into nodes, and returns what each of them has now. Of each image a node is sent only what it lacks.
    ///
    /// # Errors
    /// [`Error::NoNodes`], [`Error::UnknownNode`], [`Error::ImageNotPresent`], or whatever a node could
    /// not load.
    ///
    /// [`Error::NoNodes`]: crate::Error::NoNodes
    /// [`Error::UnknownNode`]: crate::Error::UnknownNode
    /// [`Error::ImageNotPresent`]: crate::Error::ImageNotPresent
    pub fn load_images(
        &self,
        options: LoadImages,
        listener: Listener<'_>,
    ) -> Result<Vec<LoadedImage>> {
        let cancel = options.cancel.clone();
        let _noted = cancel.note_leftover(Leftover::ImageParts {
            cluster: options.cluster.clone(),
        });
        let provider = self.share();
        let work = move |tell: Listener<'_>| load_into_nodes(&provider, options, tell);
        run_abandonable(work, GRACE, &cancel, listener)?
    }
}

/// Loads archives, one after the other, and then images of the engine's store, each into all nodes at once.
fn load_into_nodes(
    provider: &Provider,
    mut options: LoadImages,
    listener: Listener<'_>,
) -> Result<Vec<LoadedImage>> {
    archives::check_archives(&options)?;
    let images = stored::find_stored(provider, &options)?;
    let names = nodes::select_nodes(provider, &options)?;
    let mut loaded = Vec::new();
    for archive in std::mem::take(&mut options.archives) {
        options.cancel.check()?;
        loaded.extend(archives::load_archives(
            provider, &options, &names, archive, listener,
        )?);
    }
    if images.is_empty() {
        return Ok(loaded);
    }
    options.cancel.check()?;
    loaded.extend(stored::load_stored(
        provider, &options, &names, &images, listener,
    )?);
    Ok(loaded)
}
