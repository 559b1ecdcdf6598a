//! Kubernetes from Debian's source package.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::cache::{BuildCache, CacheKey, StepContext, StepOutput};
use super::super::chroot::Chroot;
use super::super::confined::ask_program;
use super::super::{Error, Step};
use super::root;

const FETCH: &str = include_str!("fetch.sh");
/// What every compilation begins with.
pub(super) const PREPARE: &str = include_str!("prepare.sh");
const COMPILE: &str = concat!(include_str!("prepare.sh"), include_str!("compile.sh"));

/// The compiled programs in `bin/`, and the version in the file `version`.
pub(super) fn make_kubernetes(
    build_cache: &BuildCache<'_>,
    mirror: Option<&str>,
) -> Result<StepOutput, Error> {
    let key = compile_key(mirror);
    if let Some(path) = build_cache.find_cached(Step::Compile, &key) {
        for step in [Step::BuildRoot, Step::Source, Step::Compile] {
            build_cache.report_skipped(step);
        }
        return Ok(StepOutput { path, key });
    }
    let tree = SourceTree::make(build_cache, mirror)?;
    let path =
        build_cache.cached_step(Step::Compile, &key, |work| compile_programs(work, &tree))?;
    Ok(StepOutput { path, key })
}

fn compile_key(mirror: Option<&str>) -> CacheKey {
    CacheKey::of_parts([COMPILE, source_key(mirror).as_ref()])
}

/// Stands for the source.
pub(super) fn source_key(mirror: Option<&str>) -> CacheKey {
    CacheKey::of_parts([FETCH, root::build_root_key(mirror).as_ref()])
}

/// Kubernetes' source, and the root with the compiler for it.
pub(super) struct SourceTree {
    build_root: PathBuf,
    source: PathBuf,
}

impl SourceTree {
    pub(super) fn make(build_cache: &BuildCache<'_>, mirror: Option<&str>) -> Result<Self, Error> {
        let build_root = root::build_root(build_cache, mirror)?;
        let key = source_key(mirror);
        let source =
            build_cache.cached_step(Step::Source, &key, |work| fetch_source(work, &build_root))?;
        Ok(Self { build_root, source })
    }

    /// Runs a script of the compiler with the version as its argument. It leaves what it makes in `/bin-out`,
    /// which is `bin`. Returns the version.
    pub(super) fn run_compiler(
        &self,
        work: &StepContext<'_>,
        script: &str,
        bin: &Path,
    ) -> Result<String, Error> {
        let path = self.source.join("version");
        let version = fs::read_to_string(&path).map_err(Error::path("read", &path))?;
        let chroot = Chroot::new(&self.build_root)
            .bind_directory(&self.source, "/source")
            .bind_directory(bin, "/bin-out");
        let packages = AtomicUsize::new(0);
        work.run_command(chroot.script(script, &[&version]), &|line| {
            compiler_progress(line, &packages)
        })?;
        Ok(version)
    }
}

fn fetch_source(work: &StepContext<'_>, build_root: &Path) -> Result<(), Error> {
    let chroot = Chroot::new(build_root).bind_directory(work.directory, "/source");
    work.run_command(chroot.script(FETCH, &[]), &|line| {
        let noteworthy = ["Get:", "dpkg-source: info: "];
        noteworthy
            .iter()
            .find_map(|start| line.strip_prefix(start))
            .map(str::to_owned)
    })?;
    let path = work.directory.join("package-version");
    let package = fs::read_to_string(&path).map_err(Error::path("read", &path))?;
    let version = upstream_version(package.trim()).ok_or_else(|| Error::Unexpected {
        step: work.step,
        what: format!("Debian's package has the version {package:?}, which names no Kubernetes"),
    })?;
    let path = work.directory.join("version");
    fs::write(&path, version).map_err(Error::path("write", &path))
}

fn compile_programs(work: &StepContext<'_>, tree: &SourceTree) -> Result<(), Error> {
    let bin = work.directory.join("bin");
    fs::create_dir(&bin).map_err(Error::path("create", &bin))?;
    let version = tree.run_compiler(work, COMPILE, &bin)?;
    check_version(work, &bin, &version)?;
    let path = work.directory.join("version");
    fs::write(&path, version).map_err(Error::path("write", &path))
}

/// Everything that reads a version of Kubernetes goes by what the programs themselves say.
fn check_version(work: &StepContext<'_>, bin: &Path, version: &str) -> Result<(), Error> {
    let said = ask_program(
        work,
        &bin.join("kubeadm"),
        &["version", "--output", "short"],
    )?;
    if said.trim() == version {
        return Ok(());
    }
    Err(Error::Unexpected {
        step: work.step,
        what: format!(
            "the compiled kubeadm says that it is {:?}, not {version:?}",
            said.trim()
        ),
    })
}

/// The compiler prints the name of each Go package when it is done with it.
fn compiler_progress(line: &str, packages: &AtomicUsize) -> Option<String> {
    if let Some(text) = line.strip_prefix("step: ") {
        return Some(text.to_owned());
    }
    let package = !line.is_empty() && !line.contains([' ', ':', '\t', '+']);
    package.then(|| {
        let count = packages.fetch_add(1, Ordering::Relaxed) + 1;
        let name = line.rsplit("/vendor/").next().unwrap_or(line);
        format!("{count} packages compiled, {name}")
    })
}

/// The version of Kubernetes in Debian's package version, with a leading `v`.
fn upstream_version(package: &str) -> Option<String> {
    let version = format!("v{}", crate::packages::upstream(package));
    super::super::source::is_version(&version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_version_is_found() {
        let cases = [
            ("1.20.5+really1.20.2-1.1+deb12u1", Some("v1.20.2")),
            ("1.20.5+really1.20.2-1", Some("v1.20.2")),
            ("1.33.4+ds-1", Some("v1.33.4")),
            ("2:1.33.4~dfsg1-1", Some("v1.33.4")),
            ("1.33-1", None),
            ("", None),
        ];
        for (package, version) in cases {
            assert_eq!(upstream_version(package).as_deref(), version, "{package}");
        }
    }

    #[test]
    fn compiled_packages_are_counted() {
        let count = AtomicUsize::new(41);
        assert_eq!(
            compiler_progress("k8s.io/kubernetes/vendor/github.com/x/y", &count).as_deref(),
            Some("42 packages compiled, github.com/x/y")
        );
        assert_eq!(
            compiler_progress("+++ [1122 09:00:00] Building", &count),
            None
        );
        assert_eq!(
            compiler_progress("step: generating code", &count).as_deref(),
            Some("generating code")
        );
    }
}
