//! From a cluster to text.

use crate::model::Cluster;
use crate::wire::{Encoder, Schemas, Wire};
use crate::yaml::{self, Mapping, Value};
use crate::{ApiVersion, Error};

impl Cluster {
    /// Writes the configuration as a version has it; what is not set is left out. Reading the text
    /// again gives the same configuration.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with every place that this version cannot say.
    pub fn to_yaml(&self, version: ApiVersion) -> Result<String, Error> {
        self.written(version, false)
    }

    /// As [`Cluster::to_yaml`], with the fields too that are as good as unset. For people who want
    /// to see what stands where a configuration says nothing, after [`Cluster::set_defaults`].
    ///
    /// # Errors
    /// As [`Cluster::to_yaml`].
    pub fn to_complete_yaml(&self, version: ApiVersion) -> Result<String, Error> {
        self.written(version, true)
    }

    fn written(&self, version: ApiVersion, complete: bool) -> Result<String, Error> {
        let mut encoder = Encoder::new(version, complete);
        let fields = self.encode(&mut encoder);
        let unsupported = encoder.into_unsupported();
        if !unsupported.is_empty() {
            return Err(Error::Unsupported {
                version,
                unsupported,
            });
        }
        let mut document = Mapping::new();
        document.insert("kind", "Cluster");
        document.insert("apiVersion", version.as_str());
        if let Value::Mapping(fields) = fields {
            for (key, value) in fields.iter() {
                document.insert(key, value.clone());
            }
        }
        Ok(yaml::emit_in_order(&document.into()))
    }
}

/// The JSON schema (draft 2020-12) of a version's documents. It accepts whatever [`Cluster::parse`]
/// and [`Cluster::validate`] accept, and knows every field.
pub fn json_schema(version: ApiVersion) -> String {
    let schema = Schemas::document::<Cluster>(version);
    format!("{schema:#}\n")
}

#[cfg(test)]
#[path = "writing_tests.rs"]
mod tests;
