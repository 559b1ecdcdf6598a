//! Images from archives.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use kind_image::archive::{Archive, PortableImage};
use kind_image::oci::Platform;

use super::import::{self, Job};
use super::nodes::{self, Target};
use super::options::{LoadImages, Source};
use super::verdict::{self, Verdict};
use crate::event::{Event, Listener};
use crate::{Error, Provider, Result};

/// Checks that archives are there, before anything is done with one.
pub(super) fn check(options: &LoadImages) -> Result<()> {
    let paths = options.archives.iter().filter_map(|source| match source {
        Source::Path(path) => Some(path),
        Source::Stream(_) => None,
    });
    for path in paths {
        std::fs::metadata(path).map_err(|error| Error::io("stat", path)(plain(error)))?;
    }
    Ok(())
}

/// The error in the words of the system alone, which scripts know.
fn plain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "no such file or directory"),
        _ => error,
    }
}

/// Loads one archive into nodes.
pub(super) fn load(
    provider: &Provider,
    options: &LoadImages,
    names: &[String],
    source: Source,
    listener: Listener<'_>,
) -> Result<()> {
    let archive = open(provider, source)?;
    let targets = nodes::ask(provider, names)?;
    options.cancel.check()?;
    let images = Images::of(&archive, &targets)?;
    let mut jobs = Vec::new();
    for target in &targets {
        let mut missing = Vec::new();
        for image in images.on(target) {
            match verdict::of(image, &target.inventory) {
                Verdict::Present => detail(listener, image, target, "is there already"),
                Verdict::Retag(tags) => {
                    let tag = |name: &String| {
                        import::tag(provider.engine(), &target.name, image.id(), name)
                    };
                    match tags.iter().try_for_each(tag) {
                        Ok(()) => detail(listener, image, target, "got another name"),
                        Err(_) => missing.push(Arc::clone(image)),
                    }
                }
                Verdict::Missing => missing.push(Arc::clone(image)),
            }
        }
        if !missing.is_empty() {
            let images = missing;
            jobs.push(Job { target, images });
        }
    }
    import::all(provider.engine(), &jobs, &options.cancel, listener)
}

fn detail(listener: Listener<'_>, image: &PortableImage, target: &Target, what: &str) {
    let text = format!("image {} on node {} {what}", image.id(), target.name);
    listener(Event::Detail { level: 1, text });
}

fn open(provider: &Provider, source: Source) -> Result<Archive> {
    let spool = provider.temporary_dir();
    match source {
        Source::Path(path) => {
            let opened = Archive::open(&path, spool);
            opened.map_err(|error| unreadable(&path, error))
        }
        Source::Stream(stream) => {
            let received = Archive::receive(stream, spool);
            received.map_err(|error| unreadable(Path::new("-"), error))
        }
    }
}

pub(super) fn unreadable(path: &Path, error: kind_image::Error) -> Error {
    Error::Engine {
        action: format!("failed to read image archive {}", path.display()),
        source: crate::node_image::image_cause(error),
    }
}

/// The images of an archive as each platform has them.
pub(super) struct Images {
    of: BTreeMap<String, Vec<Arc<PortableImage>>>,
}

impl Images {
    /// The images for the platforms of all nodes, which are one unless somebody went out of their way.
    pub(super) fn of(archive: &Archive, targets: &[Target]) -> Result<Self> {
        let mut of = BTreeMap::new();
        for platform in targets.iter().map(platform) {
            if !of.contains_key(&platform.to_string()) {
                let images = archive.images(&platform);
                let images = images.map_err(|error| unreadable(Path::new("-"), error))?;
                let images = images.into_iter().map(Arc::new).collect();
                of.insert(platform.to_string(), images);
            }
        }
        Ok(Self { of })
    }

    /// The images for a node.
    pub(super) fn on(&self, target: &Target) -> &[Arc<PortableImage>] {
        let images = self.of.get(&platform(target).to_string());
        images.map_or(&[], Vec::as_slice)
    }
}

pub(super) fn platform(target: &Target) -> Platform {
    let told = target.inventory.platform.clone();
    told.unwrap_or_else(Platform::of_host)
}
