//! Debian roots, made by `mmdebstrap`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::cache::{BuildCache, CacheKey, StepContext};
use super::super::{Error, Step};

/// The release that Kubernetes 1.20 is compiled from and with.
const BUILD_SUITE: &str = "bookworm";

/// What the build root has beside a minimal system. etcd is not used there, only taken from there.
const BUILD_PACKAGES: &[&str] = &[
    "ca-certificates",
    "dpkg-dev",
    "etcd-server",
    "golang-github-modern-go-reflect2-dev",
    "golang-go",
    "jq",
    "make",
    "rsync",
];

/// The build root. Its key does not depend on when it was made.
pub(super) fn build_root(
    build_cache: &BuildCache<'_>,
    mirror: Option<&str>,
) -> Result<PathBuf, Error> {
    let key = build_root_key(mirror);
    let result = build_cache.cached_step(Step::BuildRoot, &key, |work| {
        let what = Root {
            suite: BUILD_SUITE,
            packages: BUILD_PACKAGES,
            options: &[],
        };
        make_root(work, &work.directory.join("root"), &what, mirror)
    })?;
    Ok(result.join("root"))
}

/// Stands for the build root.
pub(super) fn build_root_key(mirror: Option<&str>) -> CacheKey {
    CacheKey::of_parts([
        BUILD_SUITE,
        &BUILD_PACKAGES.join(","),
        mirror.unwrap_or_default(),
    ])
}

/// What a Debian root consists of.
pub(super) struct Root<'a> {
    pub(super) suite: &'a str,
    /// What it has beside a minimal system.
    pub(super) packages: &'a [&'a str],
    /// Further options of `mmdebstrap`.
    pub(super) options: &'a [&'a str],
}

/// Makes a Debian root at `path`.
pub(super) fn make_root(
    work: &StepContext<'_>,
    path: &Path,
    root: &Root<'_>,
    mirror: Option<&str>,
) -> Result<(), Error> {
    let mut command = Command::new("mmdebstrap");
    command
        .args(["--mode=root", "--variant=minbase", "--format=directory"])
        .arg(format!("--include={}", root.packages.join(",")))
        .args(root.options)
        .arg(root.suite)
        .arg(path)
        .args(mirror)
        .env_remove("TMPDIR");
    work.run_command(command, &|line| line.strip_prefix("I: ").map(str::to_owned))
}
