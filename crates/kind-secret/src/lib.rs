//! What is a secret, and text without any.
//!
//! Secrets are known in two ways. Whoever reads or makes one notes it ([`Secret`], [`note_secret`]); from then on its
//! value is replaced wherever it stands. And some tell by their form or by their name what they are: private keys,
//! bootstrap tokens, who a URL logs in as, the value of `password`. [`redact_text`] takes out what is known by value or
//! form and fits text of any origin; [`redact_document`] also what is known by name, and fits documents and
//! command lines.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod forms;
mod known;
mod names;
mod redact;
mod writer;

pub use known::{REDACTED, Secret, note_secret};
pub use names::is_secret_name;
pub use redact::{note_document, note_variable, redact_document, redact_text};
pub use writer::RedactingWriter;
