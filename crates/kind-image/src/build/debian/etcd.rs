//! etcd from Debian's package, with the libraries it needs.

use std::fs;
use std::path::Path;

use super::super::closure::Closure;
use super::super::tree;
use super::super::workshop::{Key, Made, Work, Workshop};
use super::super::{Error, Step};
use super::root;

/// A directory that is the root of etcd's container image.
pub(super) fn make(workshop: &Workshop<'_>, mirror: Option<&str>) -> Result<Made, Error> {
    let key = Key::of(["etcd 1", root::build_root_key(mirror).as_ref()]);
    if let Some(path) = workshop.cached(Step::Etcd, &key) {
        workshop.skip(Step::Etcd);
        return Ok(Made { path, key });
    }
    let build_root = root::build_root(workshop, mirror)?;
    let path = workshop.step(Step::Etcd, &key, |work| collect(work, &build_root))?;
    Ok(Made { path, key })
}

fn collect(work: &Work<'_>, build_root: &Path) -> Result<(), Error> {
    let mut closure = Closure::new(work, build_root, work.directory)?;
    closure.programs(&["usr/bin/etcd"])?;
    // Where the upstream image has it.
    let from = work.directory.join("usr/bin/etcd");
    tree::link_file(&from, &work.directory.join("usr/local/bin/etcd"))?;
    fs::remove_file(&from).map_err(Error::path("remove", &from))
}
