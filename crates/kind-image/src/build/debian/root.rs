//! Debian roots, made by `mmdebstrap`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::workshop::{Key, Work, Workshop};
use super::super::{Error, Step};
use super::SUITE;

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
pub(super) fn build_root(workshop: &Workshop<'_>, mirror: Option<&str>) -> Result<PathBuf, Error> {
    let key = build_root_key(mirror);
    let result = workshop.step(Step::BuildRoot, &key, |work| {
        make(
            work,
            &work.directory.join("root"),
            BUILD_PACKAGES,
            mirror,
            &[],
        )
    })?;
    Ok(result.join("root"))
}

/// Stands for the build root.
pub(super) fn build_root_key(mirror: Option<&str>) -> Key {
    Key::of([SUITE, &BUILD_PACKAGES.join(","), mirror.unwrap_or_default()])
}

/// Makes a Debian root at `path`; `options` are further ones of `mmdebstrap`.
pub(super) fn make(
    work: &Work<'_>,
    path: &Path,
    packages: &[&str],
    mirror: Option<&str>,
    options: &[&str],
) -> Result<(), Error> {
    let mut command = Command::new("mmdebstrap");
    command
        .args(["--mode=root", "--variant=minbase", "--format=directory"])
        .arg(format!("--include={}", packages.join(",")))
        .args(options)
        .arg(SUITE)
        .arg(path)
        .args(mirror)
        .env_remove("TMPDIR");
    work.run(command, &|line| line.strip_prefix("I: ").map(str::to_owned))
}
