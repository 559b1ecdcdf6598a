//! Values of messages as protobuf has them in JSON: 64-bit numbers as text, enumerations by name.

use std::fmt::Display;

use serde::Serializer;

/// Numbers with names.
pub(super) trait Enumeration: TryFrom<i32> {
    /// As the proto has it.
    fn name(&self) -> &'static str;
}

/// Numbers of 64 bits are more than JSON readers can be relied on to keep.
pub(super) fn write_number<S: Serializer>(
    number: &impl Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// A number that has no name is written as it is.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
pub(super) fn write_name<E: Enumeration, S: Serializer>(
    number: &i32,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match E::try_from(*number) {
        Ok(value) => serializer.serialize_str(value.name()),
        Err(_) => serializer.serialize_i32(*number),
    }
}
