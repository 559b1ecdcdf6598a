//! Recorded data, published schemas, what tests need of a machine, and a real registry on loopback.
//!
//! Everything here panics on failure: a test that cannot read its data has failed.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod golden;
pub mod machine;
pub mod registry;
pub mod schema;
