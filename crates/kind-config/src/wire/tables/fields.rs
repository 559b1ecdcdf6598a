//! How a table of fields is written.

use serde_json::Value as Json;

use crate::wire::{Schemas, Wire};

/// Makes the table of a type's fields. A field is written as
/// `VERSION "name" => member, "what it is" [, {limits as JSON}];`.
macro_rules! table {
    ($type:ident, $name:literal, $about:literal, header: $header:expr, {
        $($since:ident $field:literal => $member:ident, $field_about:literal $(, $limits:tt)?;)*
    }) => {
        // A member without a line in the table does not compile.
        const _: fn(&$type) = |value| {
            let $type { $($member: _,)* } = value;
        };

        impl $crate::wire::Fields for $type {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;
            const HEADER: &'static [&'static str] = &$header;
            const FIELDS: &'static [$crate::wire::Field<Self>] = &[$($crate::wire::Field {
                name: $field,
                about: $field_about,
                since: $crate::ApiVersion::$since,
                read: |value, tree, decoder| decoder.read_value(tree, &mut value.$member),
                is_unset: |value| $crate::wire::Wire::is_unset(&value.$member),
                write: |value, encoder| encoder.field(&value.$member),
                schema: |schemas| {
                    $crate::wire::tables::fields::schema_of(|value: &Self| &value.$member, schemas)
                },
                limits: || $crate::wire::tables::fields::limits!($($limits)?),
            },)*];
        }
    };
    ($type:ident, $name:literal, $about:literal, $fields:tt) => {
        table!($type, $name, $about, header: [], $fields);
    };
}

macro_rules! limits {
    () => {
        serde_json::Value::Null
    };
    ($limits:tt) => {
        serde_json::json!($limits)
    };
}

pub(super) use {limits, table};

/// What a schema says of the type of a member.
pub(super) fn schema_of<T, M: Wire>(_: fn(&T) -> &M, schemas: &mut Schemas) -> Json {
    M::schema(schemas)
}
