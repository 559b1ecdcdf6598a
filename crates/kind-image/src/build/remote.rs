//! Kubernetes from a server tarball on the network: a release's, a CI build's, or anybody's.

use std::fs;
use std::path::Path;

use super::cache::{BuildCache, CacheKey, StepContext, StepOutput};
use super::host::host_architecture;
use super::{Error, Event, Request, Source, Step, source, tarball};
use crate::http::{Client, DownloadError, Error as HttpError, Method, Proxies, download_file};
use crate::http::{Request as HttpRequest, Url};
use crate::{Digest, Progress};

/// Real ones have half a gigabyte.
const MAX_TARBALL: u64 = 16 << 30;
/// What says a version or a digest is one line.
const MAX_LINE: u64 = 4 << 10;

/// The programs in `bin/`, and the version in the file `version`. Only one of the source's types that come
/// from the network is meant here.
pub(super) fn make_from_remote(
    build_cache: &BuildCache<'_>,
    request: &Request,
) -> Result<StepOutput, Error> {
    let remote = Remote {
        build_cache,
        client: Client::new(Proxies::from_environment(&request.environment)),
        base: request.download_base.trim_end_matches('/'),
    };
    match &request.source {
        Source::Release(version) => remote.fetch_release(version),
        Source::Ci(marker) => remote.fetch_ci(marker),
        Source::Url(url) => remote.fetch_url(url),
        other => Err(Error::UnknownSource(other.to_string())),
    }
}

struct Remote<'a> {
    build_cache: &'a BuildCache<'a>,
    client: Client,
    base: &'a str,
}

/// A tarball that is to be brought.
struct Wanted {
    url: Url,
    /// Digest of the tarball, where that is told.
    digest: Option<Digest>,
    key: CacheKey,
}

impl Remote<'_> {
    fn fetch_release(&self, version: &str) -> Result<StepOutput, Error> {
        self.build_cache
            .report_note(&format!("Building using release {version:?} artifacts"));
        self.fetch_published(&format!("v{}", version.trim_start_matches('v')))
    }

    fn fetch_ci(&self, marker: &str) -> Result<StepOutput, Error> {
        let marker = if marker.is_empty() { "latest" } else { marker };
        let url = parse_address(&format!(
            "{}/ci/{}.txt",
            self.base,
            marker.trim_end_matches(".txt")
        ))?;
        self.build_cache.report_note(&format!("Fetching \"{url}\""));
        let version = self
            .fetch_line(&url)
            .map_err(|error| failed("the version of the CI build", error))?;
        if !source::is_version(&version) {
            return Err(Error::NotAVersion(version));
        }
        self.build_cache
            .report_note(&format!("Resolved CI version: {version}"));
        self.fetch_published(&format!("ci/{version}"))
    }

    /// What stands under a version never changes: once it is here, the network is not needed.
    fn fetch_published(&self, directory: &str) -> Result<StepOutput, Error> {
        let name = format!("kubernetes-server-linux-{}.tar.gz", host_architecture()?);
        let url = parse_address(&format!("{}/{directory}/{name}", self.base))?;
        let key = CacheKey::of_parts(["published 1", &url.to_string()]);
        if let Some(made) = self.find_cached(&key) {
            return Ok(made);
        }
        let digest = self.published_digest(&url)?;
        self.fetch_tarball(&Wanted { url, digest, key })
    }

    /// The digest that is published beside a tarball, if it is.
    fn published_digest(&self, url: &Url) -> Result<Option<Digest>, Error> {
        let beside = parse_address(&format!("{url}.sha256"))?;
        match self.fetch_line(&beside) {
            Ok(line) => {
                let hex = line.split_whitespace().next().unwrap_or_default();
                Ok(format!("sha256:{hex}").parse().ok())
            }
            Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(None),
            Err(error) => Err(failed(&url.to_string(), error)),
        }
    }

    fn fetch_url(&self, text: &str) -> Result<StepOutput, Error> {
        let url = parse_address(text)?;
        self.build_cache
            .report_note(&format!("Building using URL: \"{url}\""));
        let key = self
            .key_of(&url, text)
            .map_err(|error| failed(&url.to_string(), error))?;
        if let Some(made) = self.find_cached(&key) {
            return Ok(made);
        }
        self.fetch_tarball(&Wanted {
            url,
            digest: None,
            key,
        })
    }

    /// Stands for what the address has now, as far as the server tells.
    fn key_of(&self, url: &Url, text: &str) -> Result<CacheKey, HttpError> {
        let head = HttpRequest::new(Method::Head, url.clone());
        let answer = self.client.send_request(head)?.checked()?;
        let told = ["etag", "last-modified", "content-length"].map(|name| {
            let value = answer.header(name);
            value.unwrap_or_default().to_owned()
        });
        let version = if told.iter().take(2).all(String::is_empty) {
            // Nothing tells whether it changed: it counts for this build only.
            format!("{:?}", std::time::SystemTime::now())
        } else {
            told.join("\n")
        };
        Ok(CacheKey::of_parts(["url 1", text, &version]))
    }

    fn find_cached(&self, key: &CacheKey) -> Option<StepOutput> {
        let path = self.build_cache.find_cached(Step::Unpack, key)?;
        self.build_cache.report_skipped(Step::Download);
        self.build_cache.report_skipped(Step::Unpack);
        let key = key.clone();
        Some(StepOutput { path, key })
    }

    /// Brings a tarball and takes out what is needed; the tarball itself does not stay.
    fn fetch_tarball(&self, wanted: &Wanted) -> Result<StepOutput, Error> {
        let scratch = self.build_cache.make_scratch("download")?;
        let path = scratch.join("server.tar.gz");
        self.build_cache
            .uncached_step(Step::Download, &scratch, |work| {
                self.download_tarball(work, wanted, &path)
            })?;
        let made = tarball::make_keyed(
            self.build_cache,
            &path,
            &wanted.url.to_string(),
            wanted.key.clone(),
        );
        super::cache::remove_tree(&scratch)?;
        made
    }

    fn download_tarball(
        &self,
        work: &StepContext<'_>,
        wanted: &Wanted,
        path: &Path,
    ) -> Result<(), Error> {
        let name = wanted.url.to_string();
        let report = |done, total| {
            let progress = Progress::new(name.as_str(), done, total);
            (work.observer)(Event::Transfer(&progress));
        };
        download_file(&self.client, &wanted.url, path, MAX_TARBALL, &report).map_err(|error| {
            match error {
                DownloadError::Network(error) => failed(&name, error),
                DownloadError::File(error) => Error::path("write", path)(error),
            }
        })?;
        let Some(expected) = &wanted.digest else {
            return Ok(());
        };
        let mut file = fs::File::open(path).map_err(Error::path("open", path))?;
        let (found, _) = Digest::of_reader(&mut file).map_err(Error::path("read", path))?;
        if found == *expected {
            return Ok(());
        }
        Err(Error::Tarball {
            reason: format!("its digest is {found}, but the published one is {expected}"),
            name,
        })
    }

    /// A document of one line.
    fn fetch_line(&self, url: &Url) -> Result<String, HttpError> {
        let request = HttpRequest::new(Method::Get, url.clone());
        let bytes = self
            .client
            .send_request(request)?
            .checked()?
            .bytes(MAX_LINE)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.trim().to_owned())
    }
}

/// An address, or the error that there is none.
pub(super) fn parse_address(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|reason| failed("Kubernetes", HttpError::address(text, reason)))
}

fn failed(what: &str, error: HttpError) -> Error {
    Error::Download {
        what: what.to_owned(),
        source: Box::new(error),
    }
}
