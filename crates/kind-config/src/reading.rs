//! From text to a cluster: find out what the text is, then decode it by its version.

use crate::Error;
use crate::fields::{Decoder, Fields};
use crate::model::Cluster;
use crate::v1alpha4;
use crate::yaml;
use crate::yaml::tree::{self, Content, Tree};

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
        let tree = tree::first(text).map_err(Error::Header)?.unwrap_or(Tree {
            line: 1,
            content: Content::Plain(String::new()),
        });
        let header = Header::of(&tree)?;
        match (header.api_version.as_str(), header.kind.as_str()) {
            (v1alpha4::API_VERSION, "Cluster") => v1alpha4::decode(&tree),
            (v1alpha4::API_VERSION, _) => Err(Error::Kind {
                kind: header.kind,
                api_version: header.api_version,
            }),
            _ => Err(Error::ApiVersion(header.api_version)),
        }
    }
}

/// What a document says it is.
#[derive(Default)]
struct Header {
    kind: String,
    api_version: String,
}

impl Header {
    fn of(tree: &Tree) -> Result<Self, Error> {
        let mut decoder = Decoder::default();
        let header = decoder.value(tree).unwrap_or_default();
        let problems = decoder.into_problems();
        if problems.is_empty() {
            Ok(header)
        } else {
            Err(Error::Header(yaml::Error::Content(problems)))
        }
    }
}

impl Fields for Header {
    const NAME: &'static str = "encoding.typeMeta";
    const FIELDS: &'static [&'static str] = &[];

    fn field(&mut self, name: &str, value: &Tree, decoder: &mut Decoder) -> bool {
        match name {
            "kind" => decoder.read(value, &mut self.kind),
            "apiVersion" => decoder.read(value, &mut self.api_version),
            _ => {}
        }
        true
    }
}
