//! What a schema says of types by what they say of themselves.

use serde_json::{Map, Value as Json, json};

use super::field::{Field, Fields};
use super::schema::Schemas;
use crate::ApiVersion;

impl Schemas {
    /// The schema of documents of a version whose top level is a `T`.
    pub(crate) fn document<T: Fields>(version: ApiVersion) -> Json {
        let mut schemas = Self {
            version,
            definitions: Map::new(),
        };
        let mut schema = schemas.object::<T>();
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["title"] = format!("{} of {version}", T::NAME).into();
        schema["properties"]["kind"] = json!({ "const": T::NAME });
        schema["properties"]["apiVersion"] = json!({ "const": version.as_str() });
        schema["required"] = json!(["kind", "apiVersion"]);
        schema["type"] = "object".into();
        schema["$defs"] = Json::Object(schemas.definitions);
        schema
    }

    /// A reference to what is said of a type.
    pub(super) fn reference<T: Fields>(&mut self) -> Json {
        if !self.definitions.contains_key(T::NAME) {
            // It stands there before its fields are asked, so that a type may hold itself.
            self.definitions.insert(T::NAME.to_owned(), Json::Null);
            let object = self.object::<T>();
            self.definitions.insert(T::NAME.to_owned(), object);
        }
        json!({ "$ref": format!("#/$defs/{}", T::NAME) })
    }

    fn object<T: Fields>(&mut self) -> Json {
        let version = self.version;
        let fields = T::FIELDS.iter().filter(|field| field.since <= version);
        let properties: Map<String, Json> = fields
            .map(|field| (field.name.to_owned(), self.property(field)))
            .collect();
        json!({
            "description": T::ABOUT,
            "type": ["object", "null"],
            "properties": properties,
            "additionalProperties": false,
        })
    }

    fn property<T>(&mut self, field: &Field<T>) -> Json {
        let mut schema = (field.schema)(self);
        schema["description"] = field.about.into();
        if let (Some(schema), Json::Object(limits)) = (schema.as_object_mut(), (field.limits)()) {
            schema.extend(limits);
        }
        schema
    }
}
