//! etcd from Debian's package, with the libraries it needs.

use std::fs;
use std::path::Path;

use super::super::cache::{BuildCache, CacheKey, StepContext, StepOutput};
use super::super::shared_libraries::LibraryCopier;
use super::super::tree;
use super::super::{Error, Step};
use super::root;

/// A directory that is the root of etcd's container image.
pub(super) fn make_etcd(
    build_cache: &BuildCache<'_>,
    mirror: Option<&str>,
) -> Result<StepOutput, Error> {
    let key = CacheKey::of_parts(["etcd 1", root::build_root_key(mirror).as_ref()]);
    if let Some(path) = build_cache.find_cached(Step::Etcd, &key) {
        build_cache.report_skipped(Step::Etcd);
        return Ok(StepOutput { path, key });
    }
    let build_root = root::build_root(build_cache, mirror)?;
    let path = build_cache.cached_step(Step::Etcd, &key, |work| collect_etcd(work, &build_root))?;
    Ok(StepOutput { path, key })
}

fn collect_etcd(work: &StepContext<'_>, build_root: &Path) -> Result<(), Error> {
    let mut copier = LibraryCopier::new(work, build_root, work.directory)?;
    copier.copy_programs(&["usr/bin/etcd"])?;
    // Where the upstream image has it.
    let from = work.directory.join("usr/bin/etcd");
    tree::link_file(&from, &work.directory.join("usr/local/bin/etcd"))?;
    fs::remove_file(&from).map_err(Error::path("remove", &from))
}
