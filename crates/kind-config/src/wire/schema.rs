//! JSON schemas of the format, for editors and other tools.

use serde_json::{Map, Value as Json};

use crate::ApiVersion;

/// Collects what schemas say of types that have fields, each once.
pub(crate) struct Schemas {
    pub(super) version: ApiVersion,
    pub(super) definitions: Map<String, Json>,
}
