//! What a caller asks a build for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Source, Stop};
use crate::Reference;

/// Where Kubernetes publishes releases and CI builds.
pub const RELEASES: &str = "https://dl.k8s.io";

/// Where digests of what is published there are told: by others than those who serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestPlaces {
    /// Directory of the changelogs of Kubernetes (a URL), which list the digests of releases.
    pub changelogs: String,
    /// The bucket of CI builds (a URL), which has a file of the digest beside each.
    pub ci: String,
    /// Directory of the lists by which images are promoted to Kubernetes' registry (a URL).
    pub images: String,
}

impl Default for DigestPlaces {
    fn default() -> Self {
        Self {
            changelogs: "https://raw.githubusercontent.com/kubernetes/kubernetes/master/CHANGELOG"
                .to_owned(),
            ci: "https://storage.googleapis.com/k8s-release-dev".to_owned(),
            images:
                "https://raw.githubusercontent.com/kubernetes/k8s.io/main/registry.k8s.io/images"
                    .to_owned(),
        }
    }
}

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
    /// Asked to when nobody wants the image any more.
    pub stop: Stop,
    /// Where releases and CI builds of Kubernetes are published (a URL).
    pub download_base: String,
    /// Where digests of those are told.
    pub digest_places: DigestPlaces,
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
            stop: Stop::default(),
            download_base: RELEASES.to_owned(),
            digest_places: DigestPlaces::default(),
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
    pub node_agent: PathBuf,
}
