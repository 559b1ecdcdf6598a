//! The command as scripts see it: what it prints where, and its exit codes. No engine is needed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod completion;
mod config;
mod doctor;
mod dry_run;
mod engines;
mod inputs;
mod interrupts;
mod json;
mod kubeconfig;
mod logging;
mod messages;
mod recorded;
mod run;
mod scripts;
mod terminal;
