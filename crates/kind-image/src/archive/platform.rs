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

/// The manifest for a platform. The only one there is will do for any: it may be meant for emulation.
pub(super) fn choose<'a>(
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
        [only] => Ok(only),
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

/// Whether an entry is a statement about an image and not an image.
pub(super) fn is_attestation(entry: &Descriptor) -> bool {
    entry.annotations.contains_key("vnd.docker.reference.type")
        || entry
            .platform
            .as_ref()
            .is_some_and(|platform| platform.os == "unknown")
}
