//! What a caller asks a build for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Error, Observer, Source, Step, debian};
use crate::Reference;
use crate::oci::Platform;
use crate::store::{Image, Store};

/// Where Kubernetes publishes releases and CI builds.
pub const RELEASES: &str = "https://dl.k8s.io";

/// What to build, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where Kubernetes comes from.
    pub source: Source,
    /// Name of the image.
    pub name: Reference,
    /// What the image gets beside Kubernetes.
    pub add_ons: AddOns,
    /// Directory for downloads and results of steps; made if missing, kept for the next build.
    pub cache: PathBuf,
    /// Debian mirror (a URL); `None` leaves the choice to `mmdebstrap`.
    pub mirror: Option<String>,
    /// Whether results of earlier builds count.
    pub freshness: Freshness,
    /// How the image holds the images of its containers.
    pub packing: Packing,
    /// Variables of the environment: proxies, registries' files ([`crate::registry::Access`]), `GOPATH`.
    pub environment: BTreeMap<String, String>,
    /// Where releases and CI builds of Kubernetes are published (a URL).
    pub download_base: String,
}

impl Request {
    /// A request with the usual choices for the rest.
    pub fn new(
        source: Source,
        name: Reference,
        add_ons: AddOns,
        cache: impl Into<PathBuf>,
    ) -> Self {
        Self {
            source,
            name,
            add_ons,
            cache: cache.into(),
            mirror: None,
            freshness: Freshness::Reuse,
            packing: Packing::Unpacked,
            environment: BTreeMap::new(),
            download_base: RELEASES.to_owned(),
        }
    }
}

/// Whether results of earlier builds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// Steps whose inputs are the same are not repeated.
    #[default]
    Reuse,
    /// Everything is made again, with what the package mirror has now.
    Rebuild,
}

/// How a node image holds the images of its containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// Unpacked: nodes start at once, and share what is unpacked.
    #[default]
    Unpacked,
    /// Packed, as published node images hold them: the image is smaller on its way, and every node, or
    /// the host once, unpacks.
    Packed,
}

/// What a node image gets beside Kubernetes.
#[derive(Debug, Clone)]
pub struct AddOns {
    /// Manifests for `/kind/manifests/`, by file name.
    pub manifests: BTreeMap<String, String>,
    /// The static `kind-node` program.
    pub kind_node: PathBuf,
}

/// Builds a node image into the store.
///
/// Kubernetes comes from the request's source; everything else comes from Debian packages, and the
/// etcd of a Kubernetes that Debian's is too old for: from the server tarball if it has one, else from its
/// registry.
///
/// Needs root, `mmdebstrap`, about 6 GB of room and, the first time, some minutes.
pub fn build(store: &Store, request: &Request, observer: Observer<'_>) -> Result<Image, Error> {
    request.source.check()?;
    check_host(store, request)?;
    debian::build(store, request, observer)
}

/// MiB that a build from nothing takes at its fullest.
const COMPILE_MIB: u64 = 6 * 1024;
/// MiB that it takes to make an image once Kubernetes is compiled.
const ASSEMBLE_MIB: u64 = 2 * 1024;

fn check_host(store: &Store, request: &Request) -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    architecture()?;
    let cache = &request.cache;
    std::fs::create_dir_all(cache).map_err(Error::path("create", cache))?;
    let compiles = matches!(request.source, Source::Debian) && !has_results(cache, Step::Compile);
    check_room(cache, if compiles { COMPILE_MIB } else { ASSEMBLE_MIB })?;
    check_room(store.root(), ASSEMBLE_MIB)
}

/// Checks what every compilation of Kubernetes needs of a host.
pub(super) fn check_compiling_host(cache: &Path) -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    std::fs::create_dir_all(cache).map_err(Error::path("create", cache))?;
    if has_results(cache, Step::CompileTests) {
        return Ok(());
    }
    check_room(cache, COMPILE_MIB)
}

fn has_results(cache: &Path, step: Step) -> bool {
    let results = std::fs::read_dir(cache.join(step.name()));
    results.is_ok_and(|mut entries| entries.next().is_some())
}

fn check_room(path: &Path, needed: u64) -> Result<(), Error> {
    let stat = rustix::fs::statvfs(path).map_err(Error::path("measure", path))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize) >> 20;
    if free >= needed {
        return Ok(());
    }
    Err(Error::NoSpace {
        path: path.to_owned(),
        needed,
        free,
    })
}

/// What node images are built for.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// The architecture's name in images.
pub(super) fn architecture() -> Result<&'static str, Error> {
    let host = Platform::of_host().architecture;
    let known = ARCHITECTURES.into_iter().find(|name| *name == host);
    known.ok_or_else(|| Error::UnsupportedArchitecture(std::env::consts::ARCH.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_before_work_begins() {
        let place = tempfile::tempdir().unwrap();
        check_room(place.path(), 0).unwrap();
        let error = check_room(place.path(), u64::MAX).unwrap_err();
        assert_eq!(error.code(), "BLD-NO-SPACE");
        assert!(error.remedy().unwrap().contains("room"));
    }
}
