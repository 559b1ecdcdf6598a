//! The documents of an OCI image: index, manifest, configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, bounded};

/// More layers than any tool makes.
pub(crate) const MAX_LAYERS: usize = 500;
/// More manifests than any index lists.
pub(crate) const MAX_MANIFESTS: usize = 4096;
/// More notes, labels, words or lines than any document of an image has.
const MAX_ITEMS: usize = 10_000;

/// Media type of an image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of docker's form of an image index.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an image configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of a layer that is a plain tar.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Annotation that holds an image's reference.
pub const REFERENCE_ANNOTATION: &str = "org.opencontainers.image.ref.name";
/// Annotation by which containerd names an imported image.
pub const CONTAINERD_NAME_ANNOTATION: &str = "io.containerd.image.name";

/// Points at content by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Bytes of the content.
    pub size: u64,
    /// Notes on the content.
    #[serde(
        default,
        deserialize_with = "bounded::table::<_, MAX_ITEMS>",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// What the content runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// A descriptor without notes.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            annotations: BTreeMap::new(),
            platform: None,
        }
    }
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// For example `amd64`.
    pub architecture: String,
    /// For example `linux`.
    pub os: String,
    /// For example `v7`, where an architecture has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// A platform without a variant.
    pub fn new(os: &str, architecture: &str) -> Self {
        Self {
            architecture: architecture.to_owned(),
            os: os.to_owned(),
            variant: None,
        }
    }

    /// The platform of this program.
    pub fn of_host() -> Self {
        Self::of_machine(std::env::consts::ARCH)
    }

    /// The platform of a Linux machine as `uname -m` calls it.
    pub fn of_machine(machine: &str) -> Self {
        let (architecture, variant) = match machine {
            "x86_64" => ("amd64", None),
            "aarch64" | "arm64" => ("arm64", None),
            "i386" | "i486" | "i586" | "i686" | "x86" => ("386", None),
            "armv6l" => ("arm", Some("v6")),
            "armv7l" | "armv8l" | "arm" => ("arm", Some("v7")),
            "loongarch64" => ("loong64", None),
            other => (other, None),
        };
        Self {
            variant: variant.map(str::to_owned),
            ..Self::new("linux", architecture)
        }
    }

    /// Whether what was made for this platform runs on that one.
    pub fn serves(&self, machine: &Self) -> bool {
        let generic = |variant: &Option<String>| variant.is_none() || machine.variant.is_none();
        let same = self.os == machine.os && self.architecture == machine.architecture;
        same && (generic(&self.variant) || self.variant == machine.variant)
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

/// A list of manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// What this document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    #[serde(default, deserialize_with = "bounded::list::<_, _, MAX_MANIFESTS>")]
    pub manifests: Vec<Descriptor>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            schema_version: 2,
            media_type: Some(INDEX.to_owned()),
            manifests: Vec::new(),
        }
    }
}

/// One image: its configuration and its layers, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// What this document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, lowest first.
    #[serde(deserialize_with = "bounded::list::<_, _, MAX_LAYERS>")]
    pub layers: Vec<Descriptor>,
}

/// An image's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// Time of making, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// For example `amd64`.
    #[serde(default)]
    pub architecture: String,
    /// For example `linux`.
    #[serde(default)]
    pub os: String,
    /// How its containers run.
    #[serde(default, deserialize_with = "bounded::or_default")]
    pub config: RunConfig,
    /// The layers by the digest of their unpacked tar, lowest first.
    pub rootfs: RootFs,
    /// How the layers came to be.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, MAX_ITEMS>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub history: Vec<History>,
}

/// How containers of an image run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// `NAME=value` pairs.
    #[serde(
        default,
        deserialize_with = "bounded::optional_list::<_, _, MAX_ITEMS>",
        skip_serializing_if = "Option::is_none"
    )]
    pub env: Option<Vec<String>>,
    /// Program and first arguments.
    #[serde(
        default,
        deserialize_with = "bounded::optional_list::<_, _, MAX_ITEMS>",
        skip_serializing_if = "Option::is_none"
    )]
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments.
    #[serde(
        default,
        deserialize_with = "bounded::optional_list::<_, _, MAX_ITEMS>",
        skip_serializing_if = "Option::is_none"
    )]
    pub cmd: Option<Vec<String>>,
    /// Directory to start in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// User to run as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Signal that asks the first process to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Labels.
    #[serde(
        default,
        deserialize_with = "bounded::optional_table::<_, MAX_ITEMS>",
        skip_serializing_if = "Option::is_none"
    )]
    pub labels: Option<BTreeMap<String, String>>,
}

/// The layers by their diff ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Digests of the layers' unpacked tars, lowest first.
    #[serde(default, deserialize_with = "bounded::list::<_, _, MAX_LAYERS>")]
    pub diff_ids: Vec<Digest>,
}

impl RootFs {
    /// The chain id of each layer.
    pub fn chain_ids(&self) -> Vec<Digest> {
        chain_ids(&self.diff_ids)
    }
}

/// Chain ids of layers, which come lowest first.
pub(crate) fn chain_ids<'a>(diff_ids: impl IntoIterator<Item = &'a Digest>) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        chain.push(chain_id(chain.last(), diff_id));
    }
    chain
}

/// The specification's name for a layer together with all those below it, of which the highest has the chain
/// id `below`.
pub(crate) fn chain_id(below: Option<&Digest>, diff_id: &Digest) -> Digest {
    match below {
        None => diff_id.clone(),
        Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
    }
}

/// How one layer came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// What made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// No layer belongs to this line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}
