//! From one version of the format to another.

use crate::model::Cluster;
use crate::yaml::{self, tree};
use crate::{ApiVersion, Error, reading};

/// Rewrites a configuration's text for another version. Comments, order and everything else stay: the
/// versions differ in what they can say, not in how they say it.
///
/// ```
/// use kind_config::{ApiVersion, convert};
///
/// let text = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4 # mine\n";
/// let converted = convert(text, ApiVersion::V1beta1)?;
/// assert_eq!(converted, "kind: Cluster\napiVersion: kind.x-k8s.io/v1beta1 # mine\n");
/// assert_eq!(convert(&converted, ApiVersion::V1alpha4)?, text);
/// # Ok::<(), kind_config::Error>(())
/// ```
///
/// # Errors
/// The text is no configuration, or the version cannot say everything that it says
/// ([`Error::Unsupported`]).
pub fn convert(text: &str, to: ApiVersion) -> Result<String, Error> {
    let Some(document) = tree::first_document(text).map_err(Error::Header)? else {
        return Err(Error::ApiVersion(String::new()));
    };
    let from = reading::read_version(&document)?;
    let cluster = reading::decode_tree(&document, from)?;
    // Asked for its errors: what the version cannot say.
    cluster.to_yaml(to)?;
    if from == to {
        return Ok(text.to_owned());
    }
    let mut edit = yaml::DocumentEditor::new(text);
    let changed = edit
        .set_value("apiVersion", to.as_str())
        .map(|()| edit.into_text());
    match changed.filter(|text| Cluster::parse(text).as_ref() == Ok(&cluster)) {
        Some(text) => Ok(text),
        // The text has an unusual form, for example JSON or several documents.
        None => cluster.to_yaml(to),
    }
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
