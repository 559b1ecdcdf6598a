//! Bringing a file from an address, through broken connections.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::client::{Client, Method, Request, Response};
use super::error::{Error, Failure};
use super::url::Url;

/// How often a transfer that does not get on is taken up again.
const MAX_ATTEMPTS: u32 = 5;
/// A transfer that brought this much between two failures gets on.
const PROGRESS: u64 = 1 << 20;
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
const BUFFER: usize = 256 << 10;

/// Why a file was not brought.
#[derive(Debug)]
pub(crate) enum DownloadError {
    /// It could not be fetched; another try may help.
    Network(Error),
    /// It could not be written here.
    File(io::Error),
}

impl From<Error> for DownloadError {
    fn from(error: Error) -> Self {
        Self::Network(error)
    }
}

impl From<io::Error> for DownloadError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Brings a file of at most `limit` bytes to `path`. `report` hears how many bytes there are, of how many.
pub(crate) fn download_file(
    client: &Client,
    url: &Url,
    path: &Path,
    limit: u64,
    report: &dyn Fn(u64, Option<u64>),
) -> Result<(), DownloadError> {
    let mut transfer = Transfer {
        file: File::create(path)?,
        done: 0,
        version: None,
        limit,
        report,
    };
    let (mut failures, mut safe) = (0, 0);
    loop {
        match transfer.resume_download(client, url, path) {
            Ok(()) => return Ok(()),
            Err(DownloadError::Network(error)) if error.is_transient() => {
                if transfer.done >= safe + PROGRESS {
                    (safe, failures) = (transfer.done, 0);
                }
                failures += 1;
                if failures >= MAX_ATTEMPTS {
                    return Err(error.into());
                }
                tracing::debug!(%error, failure = %error.failure, done = transfer.done, "going on");
                std::thread::sleep(RETRY_INTERVAL * 2u32.pow(failures - 1));
            }
            Err(error) => return Err(error),
        }
    }
}

struct Transfer<'a> {
    file: File,
    done: u64,
    /// Tells whether the file there is still the one that was begun with.
    version: Option<String>,
    limit: u64,
    report: &'a dyn Fn(u64, Option<u64>),
}

impl Transfer<'_> {
    fn resume_download(
        &mut self,
        client: &Client,
        url: &Url,
        path: &Path,
    ) -> Result<(), DownloadError> {
        let mut request = Request::new(Method::Get, url.clone());
        // Without a version nobody knows whether the parts belong together.
        if let Some(version) = self.version.as_ref().filter(|_| self.done > 0) {
            request = request
                .header("range", format!("bytes={}-", self.done))
                .header("if-range", version);
        }
        let mut response = client.send_request(request)?.checked()?;
        if response.status != 206 {
            self.file = OpenOptions::new().write(true).truncate(true).open(path)?;
            self.done = 0;
            self.version = content_version(&response);
        }
        let total = content_length(&response).map(|left| self.done + left);
        self.receive_body(&mut response, total)?;
        match total {
            Some(total) if self.done < total => {
                let failure = Failure::Broken("it ended too early".to_owned());
                Err(response.error(failure).into())
            }
            _ => Ok(()),
        }
    }

    fn receive_body(
        &mut self,
        response: &mut Response,
        total: Option<u64>,
    ) -> Result<(), DownloadError> {
        if total.is_some_and(|total| total > self.limit) {
            return Err(response.error(Failure::TooLarge(self.limit)).into());
        }
        let mut buffer = vec![0; BUFFER];
        (self.report)(self.done, total);
        loop {
            let count = response.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.file.write_all(&buffer[..count])?;
            self.done += count as u64;
            if self.done > self.limit {
                return Err(response.error(Failure::TooLarge(self.limit)).into());
            }
            (self.report)(self.done, total);
        }
    }
}

/// What changes when the file there does: a strong entity tag, or the time of the last change.
fn content_version(response: &Response) -> Option<String> {
    let tag = response.header("etag").filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| response.header("last-modified"))
        .map(str::to_owned)
}

fn content_length(response: &Response) -> Option<u64> {
    response.header("content-length")?.parse().ok()
}
