//! Images from the store of the engine, or of a docker beside the native one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use kind_engine::{Engine, EngineKind};
use kind_image::archive::{ImageName, PortableImage};
use kind_image::concurrent::{run_each, run_piped};
use kind_image::{Digest, Progress, Reference};

use super::archives::{Images, Opened, target_platform};
use super::contents;
use super::counted::Counted;
use super::import;
use super::job::Job;
use super::loaded::{LoadOutcome, LoadedImage};
use super::nodes::{self, Target};
use super::options::LoadImages;
use super::verdict::{self, Verdict};
use crate::event::{Detail, Event, Listener, Verbosity};
use crate::{CancelToken, Code, Error, Provider, Result};

/// An image of a store on the host.
pub(super) struct Stored {
    /// As the user names it.
    name: String,
    /// As the store names it.
    found: String,
    /// As the store identifies it: digest of its configuration, or of a manifest.
    id: String,
    engine: Arc<dyn Engine>,
}

impl Stored {
    /// The name that nodes are to know the image by; `None` for one that was named by its id.
    fn tag(&self) -> Option<Reference> {
        let hexadecimal = self.id.strip_prefix("sha256:").unwrap_or(&self.id);
        let named = self.name.starts_with("sha256:") || hexadecimal.starts_with(&self.name);
        (!named).then(|| self.name.parse().ok()).flatten()
    }
}

/// Finds all images before anything is done with one.
pub(super) fn find_stored(provider: &Provider, options: &LoadImages) -> Result<Vec<Stored>> {
    let mut engines = vec![provider.shared_engine()];
    let mut found = Vec::new();
    for name in &options.images {
        let mut stored = look_up(&engines, name)?;
        if stored.is_none() && engines.len() == 1 {
            // What `docker build` made is what people load, wherever their nodes run.
            engines.extend(provider.docker_beside());
            stored = look_up(&engines[1..], name)?;
        }
        found.push(stored.ok_or_else(|| Error::ImageNotPresent(name.clone()))?);
    }
    Ok(found)
}

fn look_up(engines: &[Arc<dyn Engine>], name: &str) -> Result<Option<Stored>> {
    for engine in engines {
        for found in possible_names(engine.kind(), name) {
            let info = match engine.image(&found) {
                // No store has an image by a name that is none.
                Err(_) if found.parse::<Reference>().is_err() => None,
                answer => answer.map_err(Error::engine(
                    Code::ImageLookup,
                    format!("failed to look for image {name:?}"),
                ))?,
            };
            if let Some(info) = info {
                return Ok(Some(Stored {
                    name: name.to_owned(),
                    found,
                    id: with_algorithm(info.id),
                    engine: Arc::clone(engine),
                }));
            }
        }
    }
    Ok(None)
}

/// What a store may call the image that a user names so. Podman builds `localhost/mine:2` where `mine:2` is asked for,
/// prefers that to a registry's, and knows ids by the beginning of their digits.
fn possible_names(store: EngineKind, name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if store != EngineKind::Podman {
        return names;
    }
    let digits = name.strip_prefix("sha256:").unwrap_or(name);
    let may_be_id =
        digits.len() >= SHORTEST_ID && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let domain = name.split_once('/').map_or("", |(domain, _)| domain);
    if digits == name && !domain.contains(['.', ':']) && domain != "localhost" {
        names.insert(0, format!("localhost/{name}"));
    }
    if may_be_id && digits == name {
        names.push(format!("sha256:{digits}"));
    }
    names
}

/// Digits of an id that podman shows.
const SHORTEST_ID: usize = 12;

/// Podman leaves out what the digits are.
fn with_algorithm(id: String) -> String {
    match format!("sha256:{id}").parse::<Digest>() {
        Ok(digest) => digest.to_string(),
        Err(_) => id,
    }
}

/// Loads images into nodes that do not have them.
pub(super) fn load_stored(
    provider: &Provider,
    options: &LoadImages,
    names: &[String],
    images: &[Stored],
    listener: Listener<'_>,
) -> Result<Vec<LoadedImage>> {
    let targets = nodes::query_targets(provider, names)?;
    options.cancel.check()?;
    let mut saved = Saved {
        present: find_present(provider.engine(), &targets, images),
        spool: provider.temporary_dir(),
        cancel: &options.cancel,
        targets: &targets,
        listener,
        images: BTreeMap::new(),
    };
    saved.save_missing(images)?;
    let mut selection = Selection {
        engine: provider.engine(),
        listener,
        jobs: targets
            .iter()
            .map(|target| Job {
                target,
                images: Vec::new(),
            })
            .collect(),
        loaded: Vec::new(),
    };
    for image in images {
        options.cancel.check()?;
        selection.decide_image(image, &mut saved)?;
    }
    let (mut jobs, mut loaded) = (selection.jobs, selection.loaded);
    jobs.retain(|job| !job.images.is_empty());
    loaded.extend(import::import_all(
        provider.engine(),
        &jobs,
        &options.cancel,
        listener,
    )?);
    Ok(loaded)
}

/// Nodes with the names of the images that they have, each all of it.
type Present = BTreeMap<String, BTreeSet<String>>;

/// Asks all nodes at once which of the images they have, as far as ids tell.
fn find_present(engine: &dyn Engine, targets: &[Target], images: &[Stored]) -> Present {
    let asked = run_each(targets, |target| {
        let present = images.iter().filter(|image| {
            let id = image.id.parse();
            id.is_ok_and(|id| contents::has_whole_image(engine, target, &id))
        });
        let names = present.map(|image| image.name.clone());
        (target.name.clone(), names.collect())
    });
    asked.into_iter().collect()
}

/// Which nodes get which images.
struct Selection<'a> {
    engine: &'a dyn Engine,
    listener: Listener<'a>,
    jobs: Vec<Job<'a>>,
    /// What nodes have already.
    loaded: Vec<LoadedImage>,
}

impl Selection<'_> {
    /// Decides about one image on all nodes, in the words of kind.
    fn decide_image(&mut self, image: &Stored, saved: &mut Saved<'_>) -> Result<()> {
        let (name, id) = (&image.name, &image.id);
        let mut retagged = false;
        for number in 0..self.jobs.len() {
            let target = self.jobs[number].target;
            let load = match saved.known_id(image, target) {
                None => {
                    let node = &target.name;
                    self.report_detail(format!(
                        "Image: {name:?} with ID {id:?} not yet present on node {node:?}, loading..."
                    ));
                    true
                }
                Some(known) => match self.missing_tag(image, target, &known) {
                    None => {
                        self.note_present(image, target, &known, LoadOutcome::Present);
                        false
                    }
                    Some(tag) => {
                        let done = self.retag_image(image, target, &known, &tag);
                        if done {
                            self.note_present(image, target, &known, LoadOutcome::Named);
                        }
                        retagged |= done;
                        !done
                    }
                },
            };
            if load {
                let portable = saved.get(image, target)?;
                self.jobs[number].images.push(portable);
            }
        }
        if !retagged && self.jobs.iter().all(|job| job.images.is_empty()) {
            self.report_detail(format!(
                "Image: {name:?} with ID {id:?} found to be already present on all nodes."
            ));
        }
        Ok(())
    }

    fn note_present(&mut self, image: &Stored, target: &Target, id: &Digest, outcome: LoadOutcome) {
        let name = image.tag().map(|tag| tag.to_string());
        let name = name.or_else(|| {
            target
                .inventory
                .other_name(&id.to_string())
                .map(str::to_owned)
        });
        self.loaded.push(LoadedImage {
            node: target.name.clone(),
            id: id.to_string(),
            names: name.into_iter().collect(),
            outcome,
        });
    }

    fn missing_tag(&self, image: &Stored, target: &Target, id: &Digest) -> Option<String> {
        let tag = image.tag()?.to_string();
        (!target.inventory.is_called(id, &tag)).then_some(tag)
    }

    fn retag_image(&self, image: &Stored, target: &Target, known: &Digest, tag: &str) -> bool {
        let (id, node) = (&image.id, &target.name);
        self.report_detail(format!(
            "Image with ID: {id} already present on the node {node} but is missing the tag {tag}. \
             re-tagging..."
        ));
        let tagged = import::tag_image(self.engine, node, known, tag);
        if let Err(error) = &tagged {
            let reason = crate::error_chain(error);
            self.report_detail(format!(
                "failed to re-tag image on the node {node} due to an error {reason}. \
                 Will load it instead..."
            ));
        }
        tagged.is_ok()
    }

    fn report_detail(&self, text: String) {
        (self.listener)(Event::Detail(Detail::new(Verbosity::Normal, text)));
    }
}

/// Images on their way from a store, by name and platform.
struct Saved<'a> {
    present: Present,
    spool: &'a Path,
    cancel: &'a CancelToken,
    targets: &'a [Target],
    listener: Listener<'a>,
    images: BTreeMap<(String, String), Arc<PortableImage>>,
}

impl Saved<'_> {
    /// Takes what some node seems to lack out of the store, all at once: images share layers. An id that
    /// is that of a manifest tells nothing; then the image shows what it is.
    fn save_missing(&mut self, images: &[Stored]) -> Result<()> {
        let targets = self.targets;
        let known_to_all = |image: &Stored| {
            let mut targets = targets.iter();
            targets.all(|target| self.known_id(image, target).is_some())
        };
        let missing: Vec<&Stored> = images.iter().filter(|image| !known_to_all(image)).collect();
        let stores: BTreeSet<&str> = missing.iter().map(|image| image.engine.name()).collect();
        for store in stores {
            let of_store = missing.iter().filter(|image| image.engine.name() == store);
            self.save(&of_store.copied().collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// The image's id as a node knows it that has all of the image.
    fn known_id(&self, image: &Stored, target: &Target) -> Option<Digest> {
        let key = (image.name.clone(), target_platform(target).to_string());
        if let Some(saved) = self.images.get(&key) {
            let verdict = verdict::judge_image(saved, &target.inventory);
            return (verdict != Verdict::Missing).then(|| saved.id().clone());
        }
        let present = self.present.get(&target.name)?;
        let id = image.id.parse().ok();
        id.filter(|_| present.contains(&image.name))
    }

    fn get(&mut self, image: &Stored, target: &Target) -> Result<Arc<PortableImage>> {
        let key = (image.name.clone(), target_platform(target).to_string());
        if !self.images.contains_key(&key) {
            self.save(&[image])?;
        }
        let saved = self.images.get(&key).cloned();
        saved.ok_or_else(|| Error::ImageNotPresent(image.name.clone()))
    }

    fn save(&mut self, images: &[&Stored]) -> Result<()> {
        let Some(first) = images.first() else {
            return Ok(());
        };
        let archive = self.receive_archive(first.engine.as_ref(), images)?;
        let of_platforms = Images::of(&archive, self.targets, self.listener)?;
        for target in self.targets {
            let found = of_platforms.on(target);
            for image in images {
                if let Some(portable) = matching_image(image, found) {
                    let key = (image.name.clone(), target_platform(target).to_string());
                    self.images.insert(key, portable);
                }
            }
        }
        Ok(())
    }

    /// Runs the engine's `save` into an archive.
    fn receive_archive(&self, engine: &dyn Engine, images: &[&Stored]) -> Result<Opened> {
        let names: Vec<String> = images.iter().map(|image| image.found.clone()).collect();
        let platforms: BTreeSet<_> = self
            .targets
            .iter()
            .map(|target| target_platform(target).to_string())
            .collect();
        let only = platforms.first().filter(|_| platforms.len() == 1);
        let save = |writer| {
            let tell = |done, total| {
                let progress = Progress::new("saving images", done, total);
                (self.listener)(Event::Progress(progress));
            };
            let mut writer = Counted::new(self.cancel, writer, |done| tell(done, None));
            let saved = engine.save(&names, only.map(String::as_str), &mut writer);
            tell(writer.done(), Some(writer.done()));
            saved
        };
        let receive = |reader| Opened::receive_stream("of the engine", reader, self.spool);
        let piped = run_piped(save, receive);
        let piped = piped.map_err(kind_engine::Error::io("pipe"));
        let (saved, received) = piped.map_err(Error::engine(Code::ImageTransfer, "pipe"))?;
        self.cancel.check()?;
        saved.map_err(Error::engine(Code::ImageTransfer, "failed to save images"))?;
        received
    }
}

/// The image of an archive that was meant, under the name that was asked for.
fn matching_image(image: &Stored, found: &[Arc<PortableImage>]) -> Option<Arc<PortableImage>> {
    let tag = image.tag();
    let by_name = |portable: &&Arc<PortableImage>| {
        let mut names = portable.names().iter();
        names.any(|name| matches!((name, &tag), (ImageName::Full(name), Some(tag)) if name == tag))
    };
    let by_id = |portable: &&Arc<PortableImage>| {
        [portable.id(), portable.digest()]
            .map(ToString::to_string)
            .contains(&image.id)
    };
    if let Some(portable) = found.iter().find(by_name) {
        return Some(Arc::clone(portable));
    }
    let only = found.first().filter(|_| found.len() == 1);
    let portable = found.iter().find(by_id).or(only)?;
    let named = match tag {
        Some(tag) => portable.named(tag),
        None => portable.as_ref().clone(),
    };
    Some(Arc::new(named.with_full_names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_of_podmans_is_of_localhost() {
        let podman = |name| possible_names(EngineKind::Podman, name);
        assert_eq!(podman("mine:2"), ["localhost/mine:2", "mine:2"]);
        assert_eq!(podman("me/mine:2"), ["localhost/me/mine:2", "me/mine:2"]);
        assert_eq!(podman("localhost/mine:2"), ["localhost/mine:2"]);
        assert_eq!(podman("quay.io/a/b:1"), ["quay.io/a/b:1"]);
        assert_eq!(podman("localhost:5000/a"), ["localhost:5000/a"]);
        assert_eq!(possible_names(EngineKind::Docker, "mine:2"), ["mine:2"]);
    }

    #[test]
    fn an_id_of_podmans_is_found_with_and_without_its_algorithm() {
        let podman = |name| possible_names(EngineKind::Podman, name);
        let short = "0123456789ab";
        let of_short = [
            &format!("localhost/{short}"),
            short,
            &format!("sha256:{short}"),
        ];
        assert_eq!(podman(short), of_short);
        let whole = format!("sha256:{}", "0".repeat(64));
        assert_eq!(podman(&whole), [whole.as_str()]);
    }
}
