//! `kind config`: work on config files.

mod arguments;
mod command;
mod convert;
mod defaults;
mod schema;
mod validate;

pub(super) use self::command::COMMAND;
