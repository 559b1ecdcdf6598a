//! Kubernetes from a server tarball on the network: a release's, a CI build's, or anybody's.
//!
//! Nothing is taken on the word of the server that it comes from. Its digest is the user's, or told by another place:
//! the changelog of a release, the bucket of CI builds.

use std::fs;
use std::path::Path;

use super::cache::{BuildCache, CacheKey, StepContext, StepOutput};
use super::fetch::{fetch_text, not_fetched, parse_address};
use super::host::host_architecture;
use super::published_digest::{FileDigest, changelog_name, find_listed};
use super::source::split_digest;
use super::{DigestPlaces, Error, Event, RELEASES, Request, Source, Step, source, tarball};
use crate::http::{Client, DownloadError, Proxies, Url, download_file};
use crate::{Digest, Progress};

/// Real ones have half a gigabyte.
const MAX_TARBALL: u64 = 16 << 30;
/// What says a version or a digest is one line.
const MAX_LINE: u64 = 4 << 10;
/// Those of a minor version with all its releases have up to two megabytes.
const MAX_CHANGELOG: u64 = 16 << 20;

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
        places: &request.digest_places,
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
    places: &'a DigestPlaces,
}

/// A tarball that is to be brought.
struct Wanted {
    url: Url,
    digest: FileDigest,
    key: CacheKey,
}

impl Remote<'_> {
    fn fetch_release(&self, source: &str) -> Result<StepOutput, Error> {
        let (version, digest) = split_digest(source);
        self.build_cache
            .report_note(&format!("Building using release {version:?} artifacts"));
        let directory = format!("v{}", version.trim_start_matches('v'));
        self.fetch_published(&directory, digest, |name| {
            self.release_digest(&directory, name)
        })
    }

    fn fetch_ci(&self, marker: &str) -> Result<StepOutput, Error> {
        let marker = if marker.is_empty() { "latest" } else { marker };
        let url = parse_address(&format!(
            "{}/ci/{}.txt",
            self.base,
            marker.trim_end_matches(".txt")
        ))?;
        self.build_cache.report_note(&format!("Fetching \"{url}\""));
        let version = fetch_text(&self.client, &url, MAX_LINE)
            .map_err(|error| not_fetched("the version of the CI build", error))?;
        if !source::is_version(&version) {
            return Err(Error::NotAVersion(version));
        }
        self.build_cache
            .report_note(&format!("Resolved CI version: {version}"));
        let directory = format!("ci/{version}");
        self.fetch_published(&directory, None, |name| self.ci_digest(&directory, name))
    }

    /// What stands under a version never changes: once it is here, the network is not needed.
    fn fetch_published(
        &self,
        directory: &str,
        known: Option<Digest>,
        ask: impl FnOnce(&str) -> Result<FileDigest, Error>,
    ) -> Result<StepOutput, Error> {
        let name = format!("kubernetes-server-linux-{}.tar.gz", host_architecture()?);
        let url = parse_address(&format!("{}/{directory}/{name}", self.base))?;
        let pinned = known.as_ref().map_or("", Digest::hex);
        let key = CacheKey::of_parts(["published 2", &url.to_string(), pinned]);
        if let Some(made) = self.find_cached(&key) {
            return Ok(made);
        }
        let digest = match known {
            Some(digest) => FileDigest::Sha256(digest),
            None => ask(&name)?,
        };
        self.fetch_tarball(&Wanted { url, digest, key })
    }

    /// The digest that the changelog lists, which is served by another host than releases.
    fn release_digest(&self, version: &str, name: &str) -> Result<FileDigest, Error> {
        let changelog = changelog_name(version);
        let changelog = changelog.ok_or_else(|| Error::NotAVersion(version.to_owned()))?;
        let url = parse_address(&format!("{}/{changelog}", self.places.changelogs))?;
        let text = fetch_text(&self.client, &url, MAX_CHANGELOG)
            .map_err(|error| not_fetched("the changelog of the release", error))?;
        let listed = find_listed(&text, &format!("{RELEASES}/{version}/{name}"));
        listed.ok_or_else(|| Error::NoDigest {
            what: format!("{name} of {version}"),
            reason: format!("{url} does not list it"),
        })
    }

    /// The digest that the bucket of CI builds has, which releases are not served from.
    fn ci_digest(&self, directory: &str, name: &str) -> Result<FileDigest, Error> {
        let url = parse_address(&format!("{}/{directory}/{name}.sha256", self.places.ci))?;
        let line = fetch_text(&self.client, &url, MAX_LINE)
            .map_err(|error| not_fetched("the digest of the CI build", error))?;
        let hex = line.split_whitespace().next().unwrap_or_default();
        let digest = format!("sha256:{hex}").parse();
        digest.map(FileDigest::Sha256).map_err(|_| Error::NoDigest {
            what: format!("{directory}/{name}"),
            reason: format!("{url} is no digest"),
        })
    }

    /// A digest stands for what it is of: what is here needs no network.
    fn fetch_url(&self, text: &str) -> Result<StepOutput, Error> {
        if let Some(version) = released_version(text) {
            return self.fetch_release(version);
        }
        let (url, digest) = parse_pinned(text)?;
        self.build_cache
            .report_note(&format!("Building using URL: \"{url}\""));
        let key = CacheKey::of_parts(["url 2", digest.hex()]);
        if let Some(made) = self.find_cached(&key) {
            return Ok(made);
        }
        let digest = FileDigest::Sha256(digest);
        self.fetch_tarball(&Wanted { url, digest, key })
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
                DownloadError::Network(error) => not_fetched(&name, error),
                DownloadError::File(error) => Error::path("write", path)(error),
            }
        })?;
        let expected = &wanted.digest;
        let mut file = fs::File::open(path).map_err(Error::path("open", path))?;
        let found = expected.of_same_kind(&mut file);
        let found = found.map_err(Error::path("read", path))?;
        if found == *expected {
            return Ok(());
        }
        Err(Error::Tarball {
            reason: format!("its digest is {found}, but it should be {expected}"),
            name,
        })
    }
}

/// The version whose server tarball for this machine is at an address that is the release's own. Its digest need not be
/// given: the changelog has it.
pub(super) fn released_version(address: &str) -> Option<&str> {
    let path = address.strip_prefix(RELEASES)?.strip_prefix('/')?;
    let (version, name) = path.split_once('/')?;
    let architecture = host_architecture().ok()?;
    let is_servers = name == format!("kubernetes-server-linux-{architecture}.tar.gz");
    (is_servers && version.starts_with('v') && source::is_version(version)).then_some(version)
}

/// An address with the digest of what it has, without which nothing is brought from there, least of all without
/// encryption.
pub(super) fn parse_pinned(text: &str) -> Result<(Url, Digest), Error> {
    let (address, digest) = split_digest(text);
    let url = parse_address(address)?;
    let digest = digest.ok_or_else(|| Error::NoDigest {
        what: url.to_string(),
        reason: "no digest is given".to_owned(),
    })?;
    Ok((url, digest))
}
