//! Recorded data, temporary homes and namespaces for tests.
//!
//! Everything here panics on failure: a test that cannot read its data has failed.
#![forbid(unsafe_code)]

pub mod golden;
