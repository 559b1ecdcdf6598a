//! One step after the other, from nothing to the image.

use super::super::assemble::{self, Parts};
use super::super::cache::{BuildCache, StepOutput};
use super::super::{Error, Freshness, Observer, Request, Source, Step};
use super::super::{checkout, components, remote, tarball};
use super::{etcd, kubernetes, node_root};
use crate::store::{Image, Store};

/// Builds the image.
pub(crate) fn build_from_debian(
    store: &Store,
    request: &Request,
    observer: Observer<'_>,
) -> Result<Image, Error> {
    let build_cache = BuildCache::open_directory(&request.cache, observer, &request.stop)?;
    if request.freshness == Freshness::Rebuild {
        build_cache.discard_all()?;
    }
    let mirror = request.mirror.as_deref();
    let tell = teller(&build_cache, request);
    let kubernetes = build_kubernetes(&build_cache, request)?;
    let version = assemble::kubernetes_version(&kubernetes)?;
    let etcd = if components::takes_debians_etcd(&version) {
        Some(etcd::make_etcd(&build_cache, mirror)?)
    } else {
        None
    };
    // Nearly a gigabyte that is made again in half a minute should a later build compile.
    build_cache.discard_results(Step::BuildRoot)?;
    build_cache.discard_results(Step::Source)?;
    let node_root = node_root::make_node_root(&build_cache, &version, mirror)?;
    for shortcoming in node_root.packages.shortcomings(&version) {
        build_cache.report_warning(&shortcoming.to_string());
    }
    tell("Building node image ...");
    let parts = Parts {
        kubernetes,
        etcd,
        node_root,
    };
    assemble::assemble_image(&build_cache, store, request, &parts)
        .inspect_err(|error| tell(&format!("Image build Failed! {error}")))
}

/// Says what kind says of a build. A build from Debian has steps to tell of, which say the same.
fn teller(build_cache: &BuildCache<'_>, request: &Request) -> impl Fn(&str) {
    let silent = request.source == Source::Debian;
    move |text| {
        if !silent {
            build_cache.report_note(text);
        }
    }
}

/// Kubernetes' programs, wherever they come from.
fn build_kubernetes(build_cache: &BuildCache<'_>, request: &Request) -> Result<StepOutput, Error> {
    let tell = teller(build_cache, request);
    tell("Starting to build Kubernetes");
    let made = match &request.source {
        Source::Debian => kubernetes::make_kubernetes(build_cache, request.mirror.as_deref()),
        Source::File(path) => tarball::make_from_tarball(build_cache, path),
        Source::Tree(path) => checkout::make_from_checkout(build_cache, request, path),
        Source::Release(_) | Source::Ci(_) | Source::Url(_) => {
            remote::make_from_remote(build_cache, request)
        }
    };
    match &made {
        Ok(_) => tell("Finished building Kubernetes"),
        Err(error) => tell(&format!("Failed to build Kubernetes: {error}")),
    }
    made
}
