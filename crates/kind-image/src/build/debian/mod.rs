//! A node image on a node root made of Debian's packages, with Kubernetes compiled from Debian's source
//! package unless a release is given. The host needs nothing but `mmdebstrap`.

mod etcd;
mod kubernetes;
mod node_root;
mod root;

use super::assemble::Parts;
use super::workshop::Workshop;
use super::{Error, Freshness, Observer, Request, Source, Step};
use crate::store::{Image, Store};

/// The Debian release that all packages come from.
const SUITE: &str = "bookworm";

/// Builds the image.
pub(super) fn build(
    store: &Store,
    request: &Request,
    observer: Observer<'_>,
) -> Result<Image, Error> {
    let workshop = Workshop::open(&request.cache, observer)?;
    if request.freshness == Freshness::Rebuild {
        workshop.discard_all()?;
    }
    let mirror = request.mirror.as_deref();
    let kubernetes = match &request.source {
        Source::File(tarball) => super::tarball::make(&workshop, tarball)?,
        _ => kubernetes::make(&workshop, mirror)?,
    };
    let etcd = etcd::make(&workshop, mirror)?;
    // Nearly a gigabyte that is made again in half a minute should a later build compile.
    workshop.discard(Step::BuildRoot)?;
    workshop.discard(Step::Source)?;
    let node_root = node_root::make(&workshop, mirror)?;
    super::assemble::assemble(
        &workshop,
        store,
        request,
        &Parts {
            kubernetes,
            etcd,
            node_root,
        },
    )
}
