//! The registry client against a real registry: Debian's `docker-registry` on loopback. Needs that and root:
//! layers have owners.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod access;
mod content;
mod network;
mod world;
