//! Taking an image from the store to a registry.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Access;
use super::failure::RegistryFailure;
use super::hosts::Purpose;
use super::session::{Outgoing, RequestTemplate, Session, Sessions};
use crate::digest::DigestWriter;
use crate::http::{self, Method, Origin, Response, Url};
use crate::oci::{self, Descriptor, Index, Manifest, Platform};
use crate::store::{Image, Store};
use crate::{Digest, Error, Progress, ProgressSink, Reference, pack, unpack};

/// How layers travel that were made here and have no packed form yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayerForm {
    /// Compressed, as everybody publishes them.
    #[default]
    Gzip,
    /// As they are: quick, and large.
    Plain,
}

/// What a push left in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Digest of the manifest there.
    pub digest: Digest,
    /// Bytes of the manifest.
    pub size: u64,
    /// What the image runs on.
    pub platform: Platform,
}

/// One platform of an index.
pub type Entry = Pushed;

/// Puts an image into the registry that `reference` names, under its tag.
///
/// What the registry has already is not sent. The manifest comes last, so that nobody sees half an image.
///
/// # Errors
/// [`Error::Registry`], or what failed in the store.
pub fn push(
    store: &Store,
    image: &Image,
    reference: &Reference,
    form: LayerForm,
    access: &Access,
    progress: ProgressSink<'_>,
) -> Result<Pushed, Error> {
    Push::open(store, image, reference, form, access, progress).and_then(|push| push.push_image())
}

/// Puts an index of images into the registry that `reference` names; they are there already, in the same
/// repository.
///
/// # Errors
/// [`Error::Registry`].
pub fn push_index(
    reference: &Reference,
    entries: &[Entry],
    access: &Access,
) -> Result<Digest, Error> {
    let index = Index {
        manifests: entries
            .iter()
            .map(|entry| Descriptor {
                platform: Some(entry.platform.clone()),
                ..Descriptor::new(oci::MANIFEST, entry.digest.clone(), entry.size)
            })
            .collect(),
        ..Index::default()
    };
    let bytes = serde_json::to_vec(&index).expect("an index is plain data");
    let session = Sessions::open_sessions(access, reference, Purpose::Push)?.last();
    put_manifest(&session, reference, oci::INDEX, &bytes)
        .map_err(|failure| session.failure(&reference.to_string(), failure))?;
    Ok(Digest::of(&bytes))
}

struct Push<'a> {
    store: &'a Store,
    image: &'a Image,
    reference: &'a Reference,
    form: LayerForm,
    session: Session<'a>,
    /// Repositories of the same registry that may have the layers.
    siblings: Vec<String>,
    progress: ProgressSink<'a>,
    sent: AtomicU64,
}

/// Content that is ready to be sent.
struct Packed {
    descriptor: Descriptor,
    path: PathBuf,
}

impl<'a> Push<'a> {
    fn open(
        store: &'a Store,
        image: &'a Image,
        reference: &'a Reference,
        form: LayerForm,
        access: &'a Access,
        progress: ProgressSink<'a>,
    ) -> Result<Self, Error> {
        let siblings: Vec<String> = image
            .references()
            .iter()
            .filter(|name| name.domain() == reference.domain() && name.path() != reference.path())
            .map(|name| name.path().to_owned())
            .collect();
        let mut session = Sessions::open_sessions(access, reference, Purpose::Push)?.last();
        for repository in &siblings {
            session.and_pull_from(repository);
        }
        Ok(Self {
            store,
            image,
            reference,
            form,
            session,
            siblings,
            progress,
            sent: AtomicU64::new(0),
        })
    }

    fn push_image(&self) -> Result<Pushed, Error> {
        let scratch = self.store.scratch()?;
        let manifest = self.image.manifest();
        let diff_ids = &self.image.document().rootfs.diff_ids;
        let mut layers = Vec::new();
        for (number, (layer, diff_id)) in manifest.layers.iter().zip(diff_ids).enumerate() {
            let unpacked = Unpacked {
                directory: &self.image.layers()[number],
                diff_id,
            };
            let packed =
                self.layer_blob(layer, &unpacked, &scratch.path().join(number.to_string()))?;
            self.send_blob(&packed)?;
            layers.push(packed.descriptor);
        }
        self.send_blob(&Packed {
            path: self.store.blob_path(&manifest.config.digest),
            descriptor: manifest.config.clone(),
        })?;
        let (bytes, kind) = self.pushed_manifest(layers)?;
        put_manifest(&self.session, self.reference, &kind, &bytes)
            .map_err(|failure| self.failure(failure))?;
        let document = self.image.document();
        Ok(Pushed {
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            platform: Platform::new(&document.os, &document.architecture),
        })
    }

    /// The manifest with the layers as they were sent: the one in the store if that is how they are there.
    fn pushed_manifest(&self, layers: Vec<Descriptor>) -> Result<(Vec<u8>, String), Error> {
        let own = self.image.manifest();
        let kind = own
            .media_type
            .clone()
            .unwrap_or_else(|| oci::MANIFEST.to_owned());
        if layers == own.layers {
            let path = self.store.blob_path(self.image.digest());
            let bytes = std::fs::read(&path).map_err(Error::path("read", &path))?;
            return Ok((bytes, kind));
        }
        let manifest = Manifest {
            layers,
            ..own.clone()
        };
        let bytes = serde_json::to_vec(&manifest).expect("a manifest is plain data");
        Ok((bytes, kind))
    }

    /// A layer's blob: the one in the store, or one that is made now.
    fn layer_blob(
        &self,
        layer: &Descriptor,
        unpacked: &Unpacked<'_>,
        path: &Path,
    ) -> Result<Packed, Error> {
        let stored = self.store.blob_path(&layer.digest);
        if stored.exists() {
            return Ok(Packed {
                descriptor: layer.clone(),
                path: stored,
            });
        }
        let descriptor = match self.form {
            LayerForm::Plain => self.pack_plain(layer, unpacked, path)?,
            LayerForm::Gzip => self.pack_gzip(layer, unpacked, path)?,
        };
        Ok(Packed {
            descriptor,
            path: path.to_owned(),
        })
    }

    fn pack_plain(
        &self,
        layer: &Descriptor,
        unpacked: &Unpacked<'_>,
        path: &Path,
    ) -> Result<Descriptor, Error> {
        let file = File::create(path).map_err(Error::path("create", path))?;
        pack_layer(unpacked, io::BufWriter::with_capacity(1 << 20, file))?;
        Ok(layer.clone())
    }

    fn pack_gzip(
        &self,
        layer: &Descriptor,
        unpacked: &Unpacked<'_>,
        path: &Path,
    ) -> Result<Descriptor, Error> {
        let file = File::create(path).map_err(Error::path("create", path))?;
        let blob = DigestWriter::new(io::BufWriter::with_capacity(1 << 20, file));
        let encoder = pack_layer(unpacked, GzEncoder::new(blob, Compression::fast()))?;
        let finish = || {
            let (digest, size, mut file) = encoder.finish()?.finish();
            file.flush()?;
            Ok::<_, io::Error>((digest, size))
        };
        let (digest, size) = finish().map_err(Error::path("write", path))?;
        let kind = format!("{}+gzip", oci::LAYER);
        Ok(Descriptor {
            annotations: layer.annotations.clone(),
            ..Descriptor::new(&kind, digest, size)
        })
    }

    fn failure(&self, failure: RegistryFailure) -> Error {
        self.session.failure(&self.reference.to_string(), failure)
    }

    /// Sends content unless the registry has it.
    fn send_blob(&self, packed: &Packed) -> Result<(), Error> {
        let there = self.is_there(&packed.descriptor.digest);
        let sent = there.and_then(|there| {
            if there {
                Ok(())
            } else {
                self.mount_or_upload(packed)
            }
        });
        sent.map_err(|failure| self.failure(failure))?;
        self.sent
            .fetch_add(packed.descriptor.size, Ordering::Relaxed);
        self.report_progress(0);
        Ok(())
    }

    fn is_there(&self, digest: &Digest) -> Result<bool, RegistryFailure> {
        match self.session.send_request(
            &format!("blobs/{digest}"),
            &RequestTemplate::new(Method::Head),
        ) {
            Ok(_) => Ok(true),
            Err(RegistryFailure::Missing(_)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Asks the registry to take the content from a repository that may have it, else for a place to
    /// send it to.
    fn mount_or_upload(&self, packed: &Packed) -> Result<(), RegistryFailure> {
        let digest = &packed.descriptor.digest;
        let post = RequestTemplate::new(Method::Post).header("content-length", "0");
        for repository in &self.siblings {
            let path = format!("blobs/uploads/?mount={digest}&from={repository}");
            let response = self.session.send_request(&path, &post)?;
            if response.status == 201 {
                return Ok(());
            }
            // The registry has begun an upload instead, which is as good as any.
            if response.status == 202 {
                return self.upload_blob(packed, &response);
            }
        }
        let response = self.session.send_request("blobs/uploads/", &post)?;
        self.upload_blob(packed, &response)
    }

    fn upload_blob(&self, packed: &Packed, begun: &Response) -> Result<(), RegistryFailure> {
        let place = upload_place(begun)?;
        let place = place.with_query("digest", &packed.descriptor.digest.to_string());
        let open = || -> Result<Box<dyn Read + '_>, Error> {
            let file = File::open(&packed.path);
            let file = file.map_err(Error::path("open", &packed.path))?;
            Ok(Box::new(Counted { file, push: self }))
        };
        let mut template =
            RequestTemplate::new(Method::Put).header("content-type", "application/octet-stream");
        template.body = Some(Outgoing {
            open: &open,
            size: packed.descriptor.size,
        });
        self.session.send_to(&place, &template).map(drop)
    }

    fn report_progress(&self, more: u64) {
        let layers = &self.image.manifest().layers;
        let done = self.sent.load(Ordering::Relaxed) + more;
        // Compressed, less is sent than the store's sizes say; the last report settles it.
        let total = layers.iter().map(|layer| layer.size).sum::<u64>().max(done);
        (self.progress)(Progress::new(self.reference.to_string(), done, Some(total)));
    }
}

/// Where a registry wants an upload; what is sent there is the session's to decide.
pub(super) fn upload_place(begun: &Response) -> Result<Url, http::Error> {
    let location = begun.header("location").unwrap_or_default();
    let followed = Origin::of(&begun.url).follow(location);
    let (place, _) = followed.map_err(|failure| begun.error(failure))?;
    Ok(place)
}

/// Tells how far a file was read.
struct Counted<'a> {
    file: File,
    push: &'a Push<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.push.report_progress(self.file.stream_position()?);
        Ok(count)
    }
}

/// A layer of the store, and the digest that its tar has.
struct Unpacked<'a> {
    directory: &'a Path,
    diff_id: &'a Digest,
}

/// Writes a layer's tar as it was when its digest was taken.
fn pack_layer<W: Write>(layer: &Unpacked<'_>, out: W) -> Result<W, Error> {
    let root = unpack::open_root(layer.directory)?;
    let mut sink = DigestWriter::new(out);
    pack::contents(&root, &mut sink)?;
    let (found, _, mut out) = sink.finish();
    if found != *layer.diff_id {
        return Err(Error::Mismatch {
            what: "a layer in the store".to_owned(),
            expected: layer.diff_id.clone(),
            found,
        });
    }
    out.flush().map_err(Error::io("pack layer"))?;
    Ok(out)
}

fn put_manifest(
    session: &Session<'_>,
    reference: &Reference,
    kind: &str,
    bytes: &[u8],
) -> Result<(), RegistryFailure> {
    let digest = Digest::of(bytes);
    let name = reference
        .tag()
        .map_or_else(|| digest.to_string(), str::to_owned);
    let open = || -> Result<Box<dyn Read + '_>, Error> { Ok(Box::new(bytes)) };
    let mut template = RequestTemplate::new(Method::Put).header("content-type", kind);
    template.body = Some(Outgoing {
        open: &open,
        size: bytes.len() as u64,
    });
    session
        .send_request(&format!("manifests/{name}"), &template)
        .map(drop)
}
