//! What a node's image says about itself.

use kind_engine::Engine;
use kind_image::packages::{self, Packages};

use crate::node::read_tree;
use crate::{Error, Result};

/// Manifests and versions are small; whatever else an image keeps beside them is not wanted.
const LARGEST_FILE: u64 = 4 << 20;

/// Facts about the image of one node.
#[derive(Debug, Clone)]
pub(crate) struct ImageFacts {
    /// Text of `/kind/version`.
    pub(crate) version: String,
    /// What the image says of its packages; images of other makers say nothing.
    pub(crate) packages: Option<Packages>,
    /// The pod network's manifest.
    pub(crate) cni: Option<String>,
    /// The cluster DNS manifest of images that bring their own.
    pub(crate) dns: Option<String>,
    /// The manifest that gives Services addresses where the image's pod network does not run.
    pub(crate) services: Option<String>,
    /// The default storage's manifest.
    pub(crate) storage: Option<String>,
}

impl ImageFacts {
    /// Reads the facts from a node that need not run.
    pub(crate) fn read_from_node(engine: &dyn Engine, node: &str, image: &str) -> Result<Self> {
        let mut files = read_tree(engine, node, "/kind", LARGEST_FILE)?;
        let version = files.remove("version").ok_or_else(|| Error::BadImage {
            image: image.to_owned(),
            reason: "it has no /kind/version".to_owned(),
        })?;
        let record = files.remove(packages::RECORD.trim_start_matches("kind/"));
        Ok(Self {
            version: version.trim().to_owned(),
            packages: record.and_then(|record| Packages::parse(&record)),
            cni: files.remove("manifests/default-cni.yaml"),
            dns: files.remove("manifests/default-dns.yaml"),
            services: files.remove("manifests/default-services.yaml"),
            storage: files.remove("manifests/default-storage.yaml"),
        })
    }

    /// What the image's Kubernetes has but cannot do with the image's packages, as sentences.
    pub(crate) fn shortcomings(&self) -> Vec<String> {
        let packages = self.packages.iter();
        let found = packages.flat_map(|packages| packages.shortcomings(&self.version));
        found.map(|shortcoming| shortcoming.to_string()).collect()
    }

    /// Whether the pod network is the one that published images bring, or ours, which is called the same. What
    /// it writes into a node is known. An image, or a file mounted over its manifest, may bring another.
    pub(crate) fn brings_kindnet(&self) -> bool {
        let manifest = self.cni.as_deref().unwrap_or_default();
        // Not read as YAML, which it need not be before its places are filled in.
        manifest.lines().any(|line| line.trim() == "name: kindnet")
    }
}
