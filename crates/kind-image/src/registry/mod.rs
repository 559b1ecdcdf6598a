//! Images from registries, and to them: the client side of the OCI distribution specification.
//!
//! [`pull`] brings an image into a [`crate::Store`], [`push`] takes one from there. Who is asked, with which
//! certificates and under whose name comes from files that users have already: containerd's
//! `certs.d/<host>/hosts.toml`, docker's `certs.d/<host>/*.crt`, docker's `config.json` and its credential
//! helpers, podman's `auth.json`. [`Access`] holds all that; nothing else of the environment counts.
//!
//! A registry is not trusted: documents have limits, every byte is checked against the digest that names
//! it before it is used, and content that lies elsewhere (`urls`) is refused.

mod access;
mod authority;
mod blob;
mod challenge;
mod credentials;
mod error;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hosts;
mod hosts_file;
mod manifest;
#[cfg(test)]
mod origin_tests;
mod pull;
mod push;
mod session;

pub use access::Access;
pub use error::Error;
pub use pull::{pull, resolve};
pub use push::{Entry, LayerForm, Pushed, push, push_index};
