//! Fetching and sending over HTTP: what the registry client and downloads of Kubernetes stand on.
//!
//! It is synchronous, because everything in this crate is. Beyond plain HTTP it decides which proxy a
//! request takes ([`Proxies`]), which certificates are trusted, how long each part of a
//! request may take ([`Timeouts`]) and which redirects are followed. Nothing here reads the environment
//! but the search for the system's certificates, which the operating system's tools do the same way.

mod client;
mod download;
mod error;
mod origin;
mod proxies;
mod trust;
mod url;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use client::{Client, Timeouts};
pub(crate) use client::{Method, Request, Response};
pub(crate) use download::{DownloadError, download_file};
pub use error::{Error, Failure, TimeoutPhase};
pub(crate) use origin::Origin;
pub use proxies::Proxies;
pub(crate) use trust::Files;
pub use url::Url;
