//! A node image whose Kubernetes is compiled from Debian's source package, on a node root made of
//! Debian's packages. The host needs nothing but `mmdebstrap`.

mod etcd;
mod kubernetes;
mod node_root;
mod root;

use super::assemble::Parts;
use super::workshop::Workshop;
use super::{Error, Freshness, Request, Step};
use crate::store::{Image, Store};

use super::Observer;

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
    let kubernetes = kubernetes::make(&workshop, mirror)?;
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
