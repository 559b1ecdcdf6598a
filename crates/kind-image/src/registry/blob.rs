//! Bringing content by its digest: to the disk, checked, and through broken connections.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::failure::RegistryFailure;
use super::session::{RequestTemplate, Session};
use super::{Error, manifest};
use crate::digest::DigestWriter;
use crate::http::{self, Failure, Method, Response};
use crate::oci::Descriptor;

/// How often a transfer that does not get on is taken up again.
const MAX_ATTEMPTS: u32 = 5;
/// A transfer that brought this much between two failures gets on.
const PROGRESS: u64 = 1 << 20;
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
const BUFFER: usize = 256 << 10;

/// Hears how many bytes of the content there are; a transfer that starts over makes it fewer.
pub(super) type Report<'a> = &'a (dyn Fn(u64) + Sync);

/// A transfer to a file.
pub(super) struct Download<'a> {
    pub(super) descriptor: &'a Descriptor,
    pub(super) path: &'a Path,
    /// Set when nobody wants the content any more.
    pub(super) stop: &'a AtomicBool,
    pub(super) report: Report<'a>,
}

/// What is there so far, with its digest.
type Partial = DigestWriter<File>;

impl Download<'_> {
    /// Brings the content. What is in the file afterwards is what the digest names.
    pub(super) fn download_blob(&self, session: &Session<'_>) -> Result<(), RegistryFailure> {
        let mut partial = self.begin_partial()?;
        let (mut failures, mut safe) = (0, 0);
        while partial.written() < self.descriptor.size {
            let Err(failure) = self.resume_download(session, &mut partial) else {
                continue;
            };
            let RegistryFailure::Net(error) = failure else {
                return Err(failure);
            };
            if partial.written() >= safe + PROGRESS {
                (safe, failures) = (partial.written(), 0);
            }
            failures += 1;
            let unwanted = self.stop.load(Ordering::Relaxed);
            if failures >= MAX_ATTEMPTS || !error.is_transient() || unwanted {
                return Err(error.into());
            }
            tracing::debug!(%error, failure = %error.failure, done = partial.written(), "going on");
            std::thread::sleep(RETRY_INTERVAL * 2u32.pow(failures - 1));
        }
        self.finish(session, partial)
    }

    fn begin_partial(&self) -> Result<Partial, crate::Error> {
        let file = File::create(self.path).map_err(crate::Error::path("create", self.path))?;
        (self.report)(0);
        Ok(DigestWriter::new(file))
    }

    /// Asks for what is missing and takes as much of it as comes.
    fn resume_download(
        &self,
        session: &Session<'_>,
        partial: &mut Partial,
    ) -> Result<(), RegistryFailure> {
        let mut template = RequestTemplate::new(Method::Get);
        if partial.written() > 0 {
            template = template.header("range", format!("bytes={}-", partial.written()));
        }
        let path = format!("blobs/{}", self.descriptor.digest);
        let mut response = session.send_request(&path, &template)?;
        if !continues(&response, partial.written()) {
            // The server begins anew, and so does this side.
            *partial = self.begin_partial()?;
            if response.status != 200 {
                return Err(interrupted(&response).into());
            }
        }
        let mut buffer = vec![0; BUFFER];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(interrupted(&response).into());
            }
            let count = response.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            if partial.written() + count as u64 > self.descriptor.size {
                let what = format!("content {}", self.descriptor.digest);
                return Err(
                    manifest::refused_manifest(&what, "it is larger than announced").into(),
                );
            }
            let written = partial.write_all(&buffer[..count]);
            written.map_err(crate::Error::path("write", self.path))?;
            (self.report)(partial.written());
        }
        if partial.written() < self.descriptor.size {
            return Err(interrupted(&response).into());
        }
        Ok(())
    }

    fn finish(&self, session: &Session<'_>, partial: Partial) -> Result<(), RegistryFailure> {
        let (found, _, _) = partial.finish();
        if found != self.descriptor.digest {
            let error = Error::Mismatch {
                what: "a part of the image".to_owned(),
                from: session.host().to_owned(),
                expected: self.descriptor.digest.clone(),
                found,
            };
            return Err(error.into());
        }
        Ok(())
    }
}

/// Whether an answer goes on where the last one broke off.
fn continues(response: &Response, done: u64) -> bool {
    match response.status {
        200 => done == 0,
        206 => {
            let range = response.header("content-range").unwrap_or_default();
            range.strip_prefix("bytes ").is_some_and(|range| {
                let start = range.split('-').next().unwrap_or_default();
                start.parse() == Ok(done)
            })
        }
        _ => false,
    }
}

fn interrupted(response: &Response) -> http::Error {
    response.error(Failure::Broken("it ended too early".to_owned()))
}
