//! Upstream's conformance tests, and the programs of their images, from Debian's source package.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::cache::{BuildCache, CacheKey};
use super::super::{Error, Observer, Step, Stop, host};
use super::kubernetes::{self, PREPARE, SourceTree};

const COMPILE: &str = include_str!("compile-tests.sh");

/// Compiles the tests of the Kubernetes that [`build`](super::super::build) makes images of, and returns the
/// directory that holds them: `e2e.test`, `ginkgo`, `kubectl`, `agnhost` with `localhost.crt` and
/// `localhost.key`, `sample-apiserver` and `nnp`, and the version of Kubernetes in the file `version`.
///
/// Works in the cache directory of builds of images, and leaves there what the build of an image would make first.
///
/// # Errors
/// Those of a build: no root, no room, a step that fails.
pub fn build_tests(
    cache: &Path,
    mirror: Option<&str>,
    observer: Observer<'_>,
) -> Result<PathBuf, Error> {
    let key = CacheKey::of_parts([PREPARE, COMPILE, kubernetes::source_key(mirror).as_ref()]);
    host::check_compiling_host(cache)?;
    let build_cache = BuildCache::open_directory(cache, observer, &Stop::default())?;
    if let Some(path) = build_cache.find_cached(Step::CompileTests, &key) {
        build_cache.report_skipped(Step::CompileTests);
        return Ok(path);
    }
    let tree = SourceTree::make(&build_cache, mirror)?;
    let programs = kubernetes::make_kubernetes(&build_cache, mirror)?;
    let script = [PREPARE, COMPILE].concat();
    let path = build_cache.cached_step(Step::CompileTests, &key, |work| {
        let version = tree.run_compiler(work, &script, work.directory)?;
        let path = work.directory.join("version");
        fs::write(&path, version).map_err(Error::path("write", &path))?;
        let kubectl = programs.path.join("bin/kubectl");
        fs::copy(&kubectl, work.directory.join("kubectl"))
            .map_err(Error::path("copy", &kubectl))?;
        Ok(())
    })?;
    build_cache.discard_results(Step::BuildRoot)?;
    build_cache.discard_results(Step::Source)?;
    Ok(path)
}
