//! Everything the user sees. The only module that writes to stdout and stderr.

mod diagnostic;
mod failure;
mod json;
mod log;
mod phase;
mod screen;
mod spinner;
mod stderr;
mod terminal;
mod transfer;

pub(crate) use screen::{Ui, quoted_list};
pub(crate) use terminal::{Format, Settings};
pub(crate) use transfer::format_bytes;
