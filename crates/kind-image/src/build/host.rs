//! What a build needs of its host.

use std::path::Path;

use super::{Error, Request, Source, Step, architecture};
use crate::make_private_directory;
use crate::store::Store;

/// MiB that a build from nothing takes at its fullest.
const COMPILE_MIB: u64 = 6 * 1024;
/// MiB that it takes to make an image once Kubernetes is compiled.
const ASSEMBLE_MIB: u64 = 2 * 1024;

/// Checks what every build needs of a host.
pub(super) fn check_host(store: &Store, request: &Request) -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    host_architecture()?;
    let cache = &request.cache;
    make_private_directory(cache).map_err(Error::path("use", cache))?;
    let compiles = matches!(request.source, Source::Debian) && !has_results(cache, Step::Compile);
    check_room(cache, if compiles { COMPILE_MIB } else { ASSEMBLE_MIB })?;
    check_room(store.root(), ASSEMBLE_MIB)
}

/// Checks what every compilation of Kubernetes needs of a host.
pub(super) fn check_compiling_host(cache: &Path) -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    make_private_directory(cache).map_err(Error::path("use", cache))?;
    if has_results(cache, Step::CompileTests) {
        return Ok(());
    }
    check_room(cache, COMPILE_MIB)
}

fn has_results(cache: &Path, step: Step) -> bool {
    let results = std::fs::read_dir(cache.join(step.name()));
    results.is_ok_and(|mut entries| entries.next().is_some())
}

fn check_room(path: &Path, needed: u64) -> Result<(), Error> {
    let stat = rustix::fs::statvfs(path).map_err(Error::path("measure", path))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize) >> 20;
    if free >= needed {
        return Ok(());
    }
    Err(Error::NoSpace {
        path: path.to_owned(),
        needed,
        free,
    })
}

/// The architecture's name in images.
pub(super) fn host_architecture() -> Result<&'static str, Error> {
    architecture::known_architecture()
        .ok_or_else(|| Error::UnsupportedArchitecture(std::env::consts::ARCH.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn a_full_disk_is_told_before_work_begins() {
        let place = tempfile::tempdir().unwrap();
        check_room(place.path(), 0).unwrap();
        let error = check_room(place.path(), u64::MAX).unwrap_err();
        assert_eq!(error.code(), Code::BuildNoSpace);
        assert!(error.remedy().unwrap().contains("room"));
    }
}
