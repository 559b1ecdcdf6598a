//! A node image on a node root made of Debian's packages, with Kubernetes compiled from Debian's source
//! package unless a release is given. The host needs nothing but `mmdebstrap`.

mod conformance;
mod etcd;
mod kubernetes;
mod node_root;
mod root;
mod runtime;
mod suites;

pub use conformance::build_tests;

use super::assemble::Parts;
use super::components;
use super::workshop::{Made, Workshop};
use super::{Error, Freshness, Observer, Request, Source, Step};
use crate::store::{Image, Store};

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
    let tell = teller(&workshop, request);
    let kubernetes = kubernetes(&workshop, request)?;
    let version = super::assemble::version(&kubernetes)?;
    let etcd = if components::takes_debians_etcd(&version) {
        Some(etcd::make(&workshop, mirror)?)
    } else {
        None
    };
    // Nearly a gigabyte that is made again in half a minute should a later build compile.
    workshop.discard(Step::BuildRoot)?;
    workshop.discard(Step::Source)?;
    let node_root = node_root::make(&workshop, &version, mirror)?;
    for shortcoming in node_root.packages.shortcomings(&version) {
        workshop.warn(&shortcoming.to_string());
    }
    tell("Building node image ...");
    let parts = Parts {
        kubernetes,
        etcd,
        node_root,
    };
    super::assemble::assemble(&workshop, store, request, &parts)
        .inspect_err(|error| tell(&format!("Image build Failed! {error}")))
}

/// Says what kind says of a build. A build from Debian has steps to tell of, which say the same.
fn teller(workshop: &Workshop<'_>, request: &Request) -> impl Fn(&str) {
    let silent = request.source == Source::Debian;
    move |text| {
        if !silent {
            workshop.note(text);
        }
    }
}

/// Kubernetes' programs, wherever they come from.
fn kubernetes(workshop: &Workshop<'_>, request: &Request) -> Result<Made, Error> {
    let tell = teller(workshop, request);
    tell("Starting to build Kubernetes");
    let made = match &request.source {
        Source::Debian => kubernetes::make(workshop, request.mirror.as_deref()),
        Source::File(tarball) => super::tarball::make(workshop, tarball),
        Source::Tree(path) => super::checkout::make(workshop, request, path),
        Source::Release(_) | Source::Ci(_) | Source::Url(_) => {
            super::remote::make(workshop, request)
        }
    };
    match &made {
        Ok(_) => tell("Finished building Kubernetes"),
        Err(error) => tell(&format!("Failed to build Kubernetes: {error}")),
    }
    made
}
