//! Bringing an image into the store.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::blob::Download;
use super::hosts::Purpose;
use super::manifest::{self, Found};
use super::session::Sessions;
use super::{Access, Error as RegistryError};
use crate::oci::{Descriptor, ImageConfig, Platform};
use crate::store::{Documents, Draft, Fetched, Image, Store};
use crate::{Digest, Error, Progress, ProgressSink, Reference};

/// Layers that are brought at once.
const WORKERS: usize = 3;
/// Real configurations have a few kilobytes.
const MAX_CONFIG: u64 = 8 << 20;
/// More than any real image has.
const MAX_IMAGE: u64 = 64 << 30;

/// Brings an image of a platform into the store, under the name it was asked for by.
///
/// Layers that the store has are not brought again. Nothing of the image can be seen in the store before
/// all of it is there and checked.
///
/// # Errors
/// [`Error::Registry`], or what failed in the store.
pub fn pull(
    store: &Store,
    reference: &Reference,
    platform: &Platform,
    access: &Access,
    progress: ProgressSink<'_>,
) -> Result<Image, Error> {
    let by_tag = reference.digest().is_none();
    let sessions = Sessions::open_sessions(access, reference, Purpose::Pull { by_tag })?;
    let found = manifest::find_manifest(&sessions, reference, platform)?;
    // By digest, more hosts may be asked.
    let sessions = Sessions::open_sessions(access, reference, Purpose::Pull { by_tag: false })?;
    let what = reference.to_string();
    let draft = store.draft()?;
    let config = fetch_config(&sessions, &what, &found, &draft)?;
    let diff_ids = diff_ids(&config, &found, &what, platform)?;
    check_room(store.root(), &what, &found)?;
    let work = Work {
        sessions: &sessions,
        what: &what,
        layers: found.manifest.layers.iter().zip(diff_ids).collect(),
        chain_ids: config.1.rootfs.chain_ids(),
        ready: Turns::default(),
        draft: &draft,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        counts: found
            .manifest
            .layers
            .iter()
            .map(|_| AtomicU64::new(0))
            .collect(),
        progress,
    };
    let layers = work.fetch_layers()?;
    let documents = Documents {
        manifest: &found.bytes,
        config: &config.0,
    };
    draft.commit_fetched(layers, &documents, std::slice::from_ref(reference))
}

/// The digest of an image's manifest for a platform, as its registry has it now.
///
/// # Errors
/// [`Error::Registry`].
pub fn resolve(
    reference: &Reference,
    platform: &Platform,
    access: &Access,
) -> Result<Digest, Error> {
    let by_tag = reference.digest().is_none();
    let sessions = Sessions::open_sessions(access, reference, Purpose::Pull { by_tag })?;
    let found = manifest::find_manifest(&sessions, reference, platform)?;
    Ok(Digest::of(&found.bytes))
}

/// A configuration with its exact bytes.
type Config = (Vec<u8>, ImageConfig);

fn fetch_config(
    sessions: &Sessions<'_>,
    what: &str,
    found: &Found,
    draft: &Draft,
) -> Result<Config, Error> {
    let descriptor = &found.manifest.config;
    if descriptor.size > MAX_CONFIG {
        return Err(manifest::refused_manifest(what, "its configuration is too large").into());
    }
    let path = draft.blob_path(found.manifest.layers.len());
    let download = Download {
        descriptor,
        path: &path,
        stop: &AtomicBool::new(false),
        report: &|_| {},
    };
    sessions.ask_in_turn(what, |session| download.download_blob(session))?;
    let bytes = fs::read(&path).map_err(Error::path("read", &path))?;
    let parsed = manifest::parse_manifest(&bytes, what)?;
    Ok((bytes, parsed))
}

/// Digests of the unpacked layers, if the configuration fits the manifest and the platform.
fn diff_ids<'a>(
    (_, config): &'a Config,
    found: &Found,
    what: &str,
    platform: &Platform,
) -> Result<&'a [Digest], Error> {
    let made_for = Platform::new(&config.os, &config.architecture);
    // Very old tools wrote neither.
    let known = !config.os.is_empty() || !config.architecture.is_empty();
    if known && !made_for.serves(platform) {
        return Err(RegistryError::Platform {
            what: what.to_owned(),
            wanted: Box::new(platform.clone()),
            available: vec![made_for],
        }
        .into());
    }
    if config.rootfs.diff_ids.len() != found.manifest.layers.len() {
        let reason = "its configuration and its manifest list different layers";
        return Err(manifest::refused_manifest(what, reason).into());
    }
    Ok(&config.rootfs.diff_ids)
}

/// A layer needs room packed and unpacked; it is at least as large unpacked.
fn check_room(root: &Path, what: &str, found: &Found) -> Result<(), Error> {
    let sizes = found.manifest.layers.iter().map(|layer| layer.size);
    let packed = sizes.fold(0, u64::saturating_add);
    if packed > MAX_IMAGE {
        return Err(manifest::refused_manifest(what, "it is larger than 64 GiB").into());
    }
    let stat = rustix::fs::statvfs(root).map_err(Error::path("measure", root))?;
    let (needed, free) = (
        (packed * 2) >> 20,
        stat.f_bavail.saturating_mul(stat.f_frsize) >> 20,
    );
    if free < needed {
        return Err(RegistryError::NoSpace {
            path: root.to_owned(),
            what: what.to_owned(),
            needed,
            free,
        }
        .into());
    }
    Ok(())
}

/// The layers of an image on their way.
struct Work<'a> {
    sessions: &'a Sessions<'a>,
    what: &'a str,
    layers: Vec<(&'a Descriptor, &'a Digest)>,
    chain_ids: Vec<Digest>,
    draft: &'a Draft,
    /// Layers are unpacked one above the other, however they come.
    ready: Turns,
    /// The layer that nobody brings yet.
    next: AtomicUsize,
    /// A layer failed: the others need not come.
    stop: AtomicBool,
    /// Bytes that are here, of each layer.
    counts: Vec<AtomicU64>,
    progress: ProgressSink<'a>,
}

impl Work<'_> {
    /// Brings all layers, some of them at once.
    fn fetch_layers(&self) -> Result<Vec<Fetched>, Error> {
        let done: Vec<Mutex<Option<Fetched>>> =
            self.layers.iter().map(|_| Mutex::default()).collect();
        let failure = Mutex::new(None);
        let slot = |slot: &Mutex<Option<Fetched>>, layer| {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = layer;
        };
        std::thread::scope(|scope| {
            for _ in 0..WORKERS.min(self.layers.len()) {
                scope.spawn(|| {
                    let _guard = GiveUp(&self.ready);
                    while let Some(number) = self.take_next() {
                        match self.fetch_layer(number) {
                            Ok(layer) => slot(&done[number], layer),
                            Err(error) => {
                                self.stop.store(true, Ordering::Relaxed);
                                self.ready.give_up();
                                let mut failure =
                                    failure.lock().unwrap_or_else(PoisonError::into_inner);
                                // The first one is the cause of the others.
                                failure.get_or_insert(error);
                            }
                        }
                    }
                });
            }
        });
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let done = done.into_iter();
        let layers = done.filter_map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(layers.collect())
    }

    /// The next layer to bring.
    fn take_next(&self) -> Option<usize> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let wanted = number < self.layers.len() && !self.stop.load(Ordering::Relaxed);
        wanted.then_some(number)
    }

    /// Brings a layer and unpacks it; `None` if one below it failed.
    fn fetch_layer(&self, number: usize) -> Result<Option<Fetched>, Error> {
        let (descriptor, diff_id) = self.layers[number];
        let chain = &self.chain_ids[..=number];
        if self.draft.has_layer(descriptor, &chain[number]) {
            tracing::debug!(digest = %descriptor.digest, "layer is present");
            self.report_progress(number, descriptor.size);
            self.ready.mark_done(number);
            return Ok(Some(self.draft.present(
                descriptor,
                diff_id,
                &chain[number],
            )));
        }
        let path = self.draft.blob_path(number);
        let download = Download {
            descriptor,
            path: &path,
            stop: &self.stop,
            report: &|bytes| self.report_progress(number, bytes),
        };
        self.sessions
            .ask_in_turn(self.what, |session| download.download_blob(session))?;
        if !self.ready.wait_for(number) {
            return Ok(None);
        }
        let layer = self.draft.unpack_blob(descriptor, diff_id, chain)?;
        self.ready.mark_done(number);
        Ok(Some(layer))
    }

    fn report_progress(&self, number: usize, bytes: u64) {
        self.counts[number].store(bytes, Ordering::Relaxed);
        let done = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum();
        let total = self
            .layers
            .iter()
            .map(|(descriptor, _)| descriptor.size)
            .sum();
        (self.progress)(Progress::new(self.what, done, Some(total)));
    }
}

/// Whose turn it is, of work that is done in the order of its numbers.
#[derive(Default)]
struct Turns {
    /// What is done, and whether nothing more will be.
    state: Mutex<(BTreeSet<usize>, bool)>,
    changed: Condvar,
}

/// Ends the wait of others if the thread that has this panics, so that the panic comes out.
struct GiveUp<'a>(&'a Turns);

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}

impl Turns {
    /// Waits until all lower numbers are done; `false` if that will not be.
    fn wait_for(&self, number: usize) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |(done, over): &mut (BTreeSet<usize>, bool)| {
            !*over && done.range(..number).count() < number
        };
        let state = self.changed.wait_while(state, waiting);
        !state.unwrap_or_else(PoisonError::into_inner).1
    }

    fn mark_done(&self, number: usize) {
        self.change(|(done, _)| done.extend([number]));
    }

    fn give_up(&self) {
        self.change(|(_, over)| *over = true);
    }

    fn change(&self, change: impl FnOnce(&mut (BTreeSet<usize>, bool))) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}
