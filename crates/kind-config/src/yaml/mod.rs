//! The only YAML code of the project.
//!
//! A [`Value`] keeps the source text of everything that is not plainly text, so reading a file and
//! writing it again never turns `012345` into `5349`. What such a scalar means is decided when
//! somebody asks, by the YAML 1.1 rules that Kubernetes' own tools use. [`emit`] writes the layout
//! of those tools too: sorted keys, two spaces, list items under their key, few quotes.

mod deserialize;
mod edit;
mod emit;
mod error;
mod fold;
mod key_order;
pub(crate) mod outline;
mod parse;
mod scalar;
pub(crate) mod tree;
mod value;

pub use deserialize::{from_str, from_value};
pub use edit::DocumentEditor;
pub use emit::{emit, emit_in_order, to_string};
pub use error::{Error, Problem};
pub use parse::{documents, parse, parse_last_wins, repeated_keys};
pub use scalar::Scalar;
pub use value::{Mapping, Value};
