//! Images from archives.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use kind_engine::Engine;
use kind_image::archive::{Archive, PortableImage};
use kind_image::oci::Platform;

use super::import;
use super::job::Job;
use super::loaded::{LoadOutcome, LoadedImage};
use super::nodes::{self, Target};
use super::options::{LoadImages, Source};
use super::verdict::{self, Verdict};
use crate::event::{Event, Listener, Warning};
use crate::image_error::image_cause;
use crate::{Error, Provider, Result};

/// Checks that archives are there, before anything is done with one.
pub(super) fn check_archives(options: &LoadImages) -> Result<()> {
    let paths = options.archives.iter().filter_map(|source| match source {
        Source::Path(path) => Some(path),
        Source::Stream(_) => None,
    });
    for path in paths {
        std::fs::metadata(path).map_err(|error| Error::io("stat", path)(plain_error(error)))?;
    }
    Ok(())
}

/// The error in the words of the system alone, which scripts know.
fn plain_error(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "no such file or directory"),
        _ => error,
    }
}

/// Loads one archive into nodes.
pub(super) fn load_archives(
    provider: &Provider,
    options: &LoadImages,
    names: &[String],
    source: Source,
    listener: Listener<'_>,
) -> Result<Vec<LoadedImage>> {
    let archive = Opened::open(source, provider.temporary_dir())?;
    let targets = nodes::query_targets(provider, names)?;
    options.cancel.check()?;
    let images = Images::of(&archive, &targets, listener)?.with_full_names();
    let (mut jobs, mut loaded) = (Vec::new(), Vec::new());
    for target in &targets {
        let mut missing = Vec::new();
        for image in images.on(target) {
            match use_present(provider.engine(), image, target) {
                Some(outcome) => loaded.push(LoadedImage::new(image, &target.name, outcome)),
                None => missing.push(Arc::clone(image)),
            }
        }
        if !missing.is_empty() {
            let images = missing;
            jobs.push(Job { target, images });
        }
    }
    loaded.iter().for_each(|image| image.tell(listener));
    loaded.extend(import::import_all(
        provider.engine(),
        &jobs,
        &options.cancel,
        listener,
    )?);
    Ok(loaded)
}

/// Uses what a node has of an image if that is all of it; what was done then.
fn use_present(engine: &dyn Engine, image: &PortableImage, target: &Target) -> Option<LoadOutcome> {
    match verdict::judge_image(image, &target.inventory) {
        Verdict::Present => Some(LoadOutcome::Present),
        Verdict::Retag(tags) => {
            let tag = |name: &String| import::tag_image(engine, &target.name, image.id(), name);
            let tagged = tags.iter().try_for_each(tag);
            tagged.is_ok().then_some(LoadOutcome::Named)
        }
        Verdict::Missing => None,
    }
}

/// An archive, and what users call it.
pub(super) struct Opened {
    name: String,
    archive: Archive,
}

impl Opened {
    fn open(source: Source, spool: &Path) -> Result<Self> {
        match source {
            Source::Path(path) => {
                let name = path.display().to_string();
                Self::check_archive(name, Archive::open_file(&path, spool))
            }
            Source::Stream(stream) => Self::receive_stream("-", stream, spool),
        }
    }

    /// Takes an archive from a stream.
    pub(super) fn receive_stream(
        name: &str,
        stream: impl Read + Send,
        spool: &Path,
    ) -> Result<Self> {
        Self::check_archive(name.to_owned(), Archive::receive_stream(stream, spool))
    }

    fn check_archive(
        name: String,
        archive: std::result::Result<Archive, kind_image::Error>,
    ) -> Result<Self> {
        match archive {
            Ok(archive) => Ok(Self { name, archive }),
            Err(error) => Err(unreadable_archive(&name, error)),
        }
    }
}

fn unreadable_archive(name: &str, error: kind_image::Error) -> Error {
    Error::Store {
        action: format!("failed to read image archive {name}"),
        source: image_cause(error),
    }
}

/// The images of an archive as each platform has them.
pub(super) struct Images {
    of: BTreeMap<String, Vec<Arc<PortableImage>>>,
}

impl Images {
    /// The images for the platforms of all nodes, which are one unless somebody went out of their way. Tells of images
    /// that nodes cannot run by themselves.
    pub(super) fn of(opened: &Opened, targets: &[Target], listener: Listener<'_>) -> Result<Self> {
        let mut of = BTreeMap::new();
        for platform in targets.iter().map(target_platform) {
            if let Entry::Vacant(entry) = of.entry(platform.to_string()) {
                let images = opened.archive.images(&platform);
                let images = images.map_err(|error| unreadable_archive(&opened.name, error))?;
                for warning in images.iter().filter_map(|image| foreign(image, &platform)) {
                    listener(Event::Warning(Warning::Image(warning)));
                }
                entry.insert(images.into_iter().map(Arc::new).collect());
            }
        }
        Ok(Self { of })
    }

    /// The same images, each with a full name.
    fn with_full_names(mut self) -> Self {
        for image in self.of.values_mut().flatten() {
            *image = Arc::new(image.as_ref().clone().with_full_names());
        }
        self
    }

    /// The images for a node.
    pub(super) fn on(&self, target: &Target) -> &[Arc<PortableImage>] {
        let images = self.of.get(&target_platform(target).to_string());
        images.map_or(&[], Vec::as_slice)
    }
}

/// Says so of an image that is for other machines than a node's. It is loaded all the same: hosts may emulate them.
fn foreign(image: &PortableImage, machine: &Platform) -> Option<String> {
    let config = image.document();
    let platform = Platform::new(&config.os, &config.architecture);
    if config.architecture.is_empty() || platform.serves(machine) {
        return None;
    }
    let name = image.names().first();
    let name = name.map_or_else(|| image.id().to_string(), ToString::to_string);
    Some(format!(
        "image {name} is for {platform}, and nodes are {machine}: it runs only if the host emulates that; \
         `docker save --platform {machine}` takes that of an image for several"
    ))
}

pub(super) fn target_platform(target: &Target) -> Platform {
    let told = target.inventory.platform.clone();
    told.unwrap_or_else(Platform::of_host)
}
