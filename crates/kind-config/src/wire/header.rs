//! What a document says it is.

use super::Decoder;
use crate::yaml::tree::Tree;
use crate::{ApiVersion, Error, yaml};

/// The two fields by which documents are told apart.
#[derive(Debug, Default)]
pub(crate) struct Header {
    pub(crate) kind: String,
    pub(crate) api_version: String,
}

/// Name of the type in kind's messages.
const NAME: &str = "encoding.typeMeta";

impl Header {
    /// Reads a document's header and nothing else of it.
    pub(crate) fn of_document(tree: &Tree) -> Result<Self, Error> {
        let mut decoder = Decoder::new(ApiVersion::V1alpha4);
        let mut header = Self::default();
        if !tree.is_null() {
            let entries = decoder.entries(tree, NAME);
            for entry in entries.into_iter().flat_map(|entries| &entries.entries) {
                match entry.key.as_str() {
                    "kind" => decoder.read_value(&entry.value, &mut header.kind),
                    "apiVersion" => decoder.read_value(&entry.value, &mut header.api_version),
                    _ => {}
                }
            }
        }
        let problems = decoder.into_problems();
        if problems.is_empty() {
            Ok(header)
        } else {
            Err(Error::Header(yaml::Error::Content(problems)))
        }
    }
}
