//! Configurations as text: one table of fields for each type says how its fields are read, how they
//! are written, and what a JSON schema says of them.
//!
//! Not serde, because serde stops at the first problem, and people mend a file in one go.

mod basic;
mod decoder;
mod describe;
mod encoder;
mod field;
mod header;
mod place;
mod read;
mod schema;
mod tables;
mod with_fields;
mod words;
mod write;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub(crate) use field::{Field, Fields, Wire};
pub(crate) use header::Header;
pub(crate) use schema::Schemas;
