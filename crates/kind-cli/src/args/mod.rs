//! The command line as data: commands and flags as tables, and a parser with the rules of Go's pflag.
//!
//! Scripts depend on the exact words of parser errors and on where flags may stand, so the rules are
//! spelled out here instead of being left to an argument library of another family.

mod early;
mod error;
mod find;
mod flag;
mod matches;
mod outdated;
mod parse;
mod spec;
mod suggest;
mod value;

pub(crate) use early::{is_quiet, wants_json};
pub(crate) use error::UsageError;
pub(crate) use find::{Found, find_command};
pub(crate) use flag::{Flag, Kind};
pub(crate) use matches::Matches;
pub(crate) use outdated::find_replacement;
pub(crate) use parse::parse_arguments;
pub(crate) use spec::{ArgRule, Command};
pub(crate) use value::duration_text;
