//! A build from its request to its image.

use super::host::check_host;
use super::{Error, Observer, Request, debian};
use crate::store::{Image, Store};

/// Builds a node image into the store.
///
/// Kubernetes comes from the request's source; everything else comes from Debian packages, and the
/// etcd of a Kubernetes that Debian's is too old for: from the server tarball if it has one, else from its
/// registry.
///
/// Needs root, `mmdebstrap`, about 6 GB of room and, the first time, some minutes.
pub fn build(store: &Store, request: &Request, observer: Observer<'_>) -> Result<Image, Error> {
    request.source.check()?;
    check_host(store, request)?;
    debian::build_from_debian(store, request, observer)
}
