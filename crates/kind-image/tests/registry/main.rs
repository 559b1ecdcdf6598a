//! The registry client against a real registry: Debian's `docker-registry` on loopback. Where that is not
//! installed, or the caller is not root (layers have owners), there is nothing to test, and the tests
//! pass.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod access;
mod content;
mod network;
mod world;
