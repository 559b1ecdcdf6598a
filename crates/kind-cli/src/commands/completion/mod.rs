//! `kind completion`: scripts for shells, and the hidden command that they ask for candidates.

mod candidates;
mod command;

pub(super) use command::{COMMAND, COMPLETE, COMPLETE_NO_DESCRIPTIONS};
