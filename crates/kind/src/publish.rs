//! Publishing node images.

use kind_image::registry::{self, Access, LayerForm};
use kind_image::{ProgressSink, Reference, Store};

use crate::event::Listener;
use crate::image_error::image_cause;
use crate::node_image::open_store;
use crate::{CancelToken, Error, Provider, Result, transfer};

impl Provider {
    /// Publishes a node image of the engine's store at the registry that its name says, with the logins of
    /// docker's configuration. Returns the digest that it has there.
    ///
    /// # Errors
    /// [`Error::Push`], and [`Error::NotSupported`] for engines that push images themselves.
    pub fn push_node_image(
        &self,
        image: &str,
        cancel: &CancelToken,
        listener: Listener<'_>,
    ) -> Result<String> {
        publish_image(self, image, cancel, listener)
    }
}

/// Puts an image of the engine's store into the registry that its name says. Returns the digest that it
/// has there.
fn publish_image(
    provider: &Provider,
    image: &str,
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<String> {
    let store = open_store(provider)?;
    let access = Access::from_environment(provider.environment());
    let name = image.to_owned();
    let push = move |progress: ProgressSink<'_>| push(&store, &name, &access, progress);
    transfer::run_transfer(push, cancel, listener)?.map_err(|error| Error::Push {
        image: image.to_owned(),
        source: image_cause(error),
    })
}

fn push(
    store: &Store,
    image: &str,
    access: &Access,
    progress: ProgressSink<'_>,
) -> std::result::Result<String, kind_image::Error> {
    let name: Reference = image.parse()?;
    let found = store.find_image(image)?;
    let found = found.ok_or_else(|| kind_image::Error::Missing(image.to_owned()))?;
    let pushed = registry::push(store, &found, &name, LayerForm::Gzip, access, progress)?;
    Ok(pushed.digest.to_string())
}
