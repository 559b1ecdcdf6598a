//! etcd from Debian's package, with the libraries it needs.

use std::fs;
use std::path::Path;

use super::super::closure::Closure;
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
    closure.program("usr/bin/etcd")?;
    // Where the upstream image has it.
    let (from, to) = ("usr/bin/etcd", "usr/local/bin/etcd");
    let to = work.directory.join(to);
    let parent = work.directory.join("usr/local/bin");
    fs::create_dir_all(&parent).map_err(Error::path("create", &parent))?;
    fs::rename(work.directory.join(from), &to).map_err(Error::path("move to", &to))
}
