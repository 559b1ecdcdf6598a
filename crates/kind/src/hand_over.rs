//! Giving a built image to an engine with a store of its own.

use kind_engine::Engine;
use kind_image::concurrent::run_piped;
use kind_image::{Image, Store, archive};

use crate::event::{Event, Listener, Outcome, Phase};
use crate::image_error::store_error;
use crate::{Code, Error, Result};

/// Loads the image of that name into the engine, unless the engine has it.
///
/// # Errors
/// [`Error::Engine`]
pub(crate) fn hand_over_program(
    engine: &dyn Engine,
    store: &Store,
    image: &Image,
    name: &str,
    listener: Listener<'_>,
) -> Result<()> {
    let action = format!("failed to load the built image into {}", engine.name());
    let known = engine
        .image(name)
        .map_err(Error::engine(Code::ImageLookup, action.as_str()))?;
    if known.is_some_and(|known| is_same(&known.id, image)) {
        return Ok(());
    }
    let phase = Phase::BuildStep {
        title: format!("Loading the image into {}", engine.name()),
    };
    listener(Event::PhaseStarted(phase.clone()));
    let loaded = load_program(engine, store, image, &action);
    let outcome = match loaded {
        Ok(()) => Outcome::Done,
        Err(_) => Outcome::Failed,
    };
    listener(Event::PhaseEnded { phase, outcome });
    loaded
}

/// Engines that keep images in containerd's store call them by their manifests.
fn is_same(known: &str, image: &Image) -> bool {
    let ids = [image.id(), image.digest()];
    ids.iter().any(|id| is_id(known, &id.to_string()))
}

/// Podman leaves out how an id was made.
fn is_id(known: &str, id: &str) -> bool {
    !known.is_empty() && (known == id || id.strip_prefix("sha256:") == Some(known))
}

fn load_program(engine: &dyn Engine, store: &Store, image: &Image, action: &str) -> Result<()> {
    let piped = run_piped(
        |writer| archive::write(store, std::slice::from_ref(image), writer),
        |mut reader| engine.load(&mut reader),
    );
    let piped = piped.map_err(kind_engine::Error::io("open a pipe"));
    let (written, loaded) = piped.map_err(Error::engine(Code::ImageTransfer, action))?;
    loaded.map_err(Error::engine(Code::ImageTransfer, action))?;
    written.map_err(store_error(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_spell_ids_with_and_without_their_algorithm() {
        assert!(is_id("sha256:ab", "sha256:ab"));
        assert!(is_id("ab", "sha256:ab"));
        for other in ["", "b", "sha256:a"] {
            assert!(!is_id(other, "sha256:ab"), "{other}");
        }
    }
}
