//! Builds everything, before faults are provoked.

use std::path::{Path, PathBuf};
use std::process::Command;

use kind_e2e::{Kept, enclosed};

use super::options::Options;
use crate::shell::{self, cargo};
use crate::{Failure, node_image, packages, programs};

/// The word that makes xtask provoke the faults itself; the programs that were made and the options follow.
pub(crate) const INSIDE: &str = "faults-inside";

/// Builds everything and provokes the faults.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    packages::ensure(&packages::CLUSTER, true)?;
    packages::ensure(&packages::FAULTS, true)?;
    if options.provider != "native" {
        packages::ensure(&packages::ENGINES, true)?;
        shell::run(cargo().args(["build", "--package", "kind-e2e", "--bins"]))?;
    }
    let kind = programs::kind_under_test()?;
    let image = node_image(&options, &kind)?;
    let kept = Kept::new(directory(&options.provider))?;
    let status = enclosed(|command: &mut Command| {
        command
            .arg(std::env::current_exe().unwrap_or_else(|_| "xtask".into()))
            .arg(INSIDE)
            .args([&kind, &image, kept.path()])
            .args(arguments);
    })?;
    if status.success() {
        return Ok(());
    }
    Err("not every fault is told as it should be, see above".into())
}

/// The archive of the node image.
fn node_image(options: &Options, kind: &Path) -> Result<PathBuf, Failure> {
    match &options.image {
        Some(archive) if archive.is_file() => Ok(archive.clone()),
        Some(archive) => Err(format!("there is no archive {}", archive.display()).into()),
        None => node_image::archive(kind, &[]),
    }
}

/// Where an engine and the clusters on it keep everything.
fn directory(engine: &str) -> PathBuf {
    programs::directory().join("faults").join(engine)
}
