//! Types that have a table of fields are read, written and described by it.

use super::decoder::Decoder;
use super::encoder::Encoder;
use super::field::{Fields, Wire};
use super::read::type_name;
use super::schema::Schemas;
use crate::ApiVersion;
use crate::yaml;
use crate::yaml::tree::Tree;

impl<T: Fields> Wire for T {
    fn type_name(version: ApiVersion) -> String {
        type_name::<T>(version)
    }

    fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
        decoder.fields(tree)
    }

    fn is_unset(&self) -> bool {
        *self == Self::default()
    }

    fn encode(&self, encoder: &mut Encoder) -> yaml::Value {
        encoder.fields(self).into()
    }

    fn schema(schemas: &mut Schemas) -> serde_json::Value {
        schemas.reference::<T>()
    }
}
