//! From text to a cluster: find out what the text is, then decode it by its version.

use crate::model::Cluster;
use crate::wire::{Decoder, Header};
use crate::yaml::tree::{self, Content, Tree};
use crate::{ApiVersion, Error};

impl Cluster {
    /// Reads a configuration: the first YAML or JSON document of a text. Sets no defaults and
    /// checks no values; [`Cluster::set_defaults`] and [`Cluster::validate`] come next, after what
    /// the caller wants to override.
    ///
    /// # Errors
    /// The text is no YAML, is of an unknown version or kind, or has fields that its version does
    /// not have or whose values have the wrong type; all of these are reported together, with
    /// their lines.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let tree = tree::first_document(text)
            .map_err(Error::Header)?
            .unwrap_or(Tree {
                line: 1,
                content: Content::Plain(String::new()),
            });
        let version = read_version(&tree)?;
        decode_tree(&tree, version)
    }
}

/// The version that a document is of.
pub(crate) fn read_version(tree: &Tree) -> Result<ApiVersion, Error> {
    let header = Header::of_document(tree)?;
    let version = ApiVersion::ALL
        .iter()
        .find(|version| version.as_str() == header.api_version);
    match (version, header.kind.as_str()) {
        (Some(version), "Cluster") => Ok(*version),
        (Some(_), _) => Err(Error::Kind {
            kind: header.kind,
            api_version: header.api_version,
        }),
        (None, _) => Err(Error::ApiVersion(header.api_version)),
    }
}

/// Reads a document as one of a version.
pub(crate) fn decode_tree(tree: &Tree, version: ApiVersion) -> Result<Cluster, Error> {
    let mut decoder = Decoder::new(version);
    let cluster = decoder.value(tree).unwrap_or_default();
    decoder.into_error().map_or(Ok(cluster), Err)
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
