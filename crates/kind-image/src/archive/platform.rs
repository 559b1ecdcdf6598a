//! Choosing among the manifests of an image for several platforms.

use super::portable::{Document, ImageName};
use crate::Error;
use crate::oci::{Descriptor, Manifest, Platform};

/// A manifest that an image may be.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) descriptor: Descriptor,
    pub(super) platform: Platform,
    pub(super) manifest: Manifest,
    pub(super) document: Document,
}

/// The manifest for a platform, the first of several. If all there are is for one platform, that will do for any: it
/// may be meant for emulation.
pub(super) fn choose_platform<'a>(
    candidates: &'a [Candidate],
    platform: &Platform,
    name: Option<&ImageName>,
) -> Result<&'a Candidate, Error> {
    let name = || name.map_or("<none>".to_owned(), ToString::to_string);
    match candidates {
        [] => Err(Error::NotAnImage(format!(
            "it holds no manifest of {}",
            name()
        ))),
        [first, others @ ..] if others.iter().all(|it| it.platform == first.platform) => Ok(first),
        several => {
            let fitting = |wanted: &Platform| {
                let mut several = several.iter();
                several.find(|candidate| candidate.platform.serves(wanted))
            };
            fitting(platform).ok_or_else(|| {
                let found: Vec<_> = several
                    .iter()
                    .map(|candidate| candidate.platform.to_string())
                    .collect();
                Error::NotAnImage(format!(
                    "it holds {} for {}, but not for {platform}",
                    name(),
                    found.join(", ")
                ))
            })
        }
    }
}
