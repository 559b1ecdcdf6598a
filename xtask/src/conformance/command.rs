//! Makes everything that needs the outside, before the tests.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use kind_e2e::enclosed;

use super::cluster::Cluster;
use super::images::Images;
use super::options::Options;
use super::place::{cluster_directory, directory};
use super::suite::Suite;
use crate::shell::{self, cargo};
use crate::{Failure, node_image, packages, programs};

/// The word that makes xtask run the tests itself; the programs that were made and the options follow.
pub(crate) const INSIDE: &str = "conformance-inside";

/// Makes everything and runs the tests.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    if let Some(image) = options.image.as_deref().filter(|image| !image.is_file()) {
        return Err(format!("there is no archive {}", image.display()).into());
    }
    let _lock = lock()?;
    packages::ensure(&packages::CLUSTER, true)?;
    packages::ensure(&[packages::REGISTRY], true)?;
    if options.provider != "native" {
        packages::ensure(&packages::ENGINES, true)?;
        shell::run(cargo().args(["build", "--package", "kind-e2e", "--bins"]))?;
    }
    let suite = Suite::open(options.suite.as_deref())?;
    let kind = programs::kind_under_test()?;
    let node_image = node_image(&options, &kind)?;
    Images::make(&suite, &directory())?;
    // The tests inside hear a Ctrl-C as well and clean up; this waits for them.
    signal_hook::flag::register(
        signal_hook::consts::SIGINT,
        Arc::new(AtomicBool::new(false)),
    )?;
    let status = enclosed(|command: &mut Command| {
        command
            .arg(std::env::current_exe().unwrap_or_else(|_| "xtask".into()))
            .arg(INSIDE)
            .args([&kind, &node_image.unwrap_or_default(), &suite.directory])
            .args(arguments);
    })?;
    if status.success() {
        return Ok(());
    }
    Err("conformance is not shown, see above".into())
}

/// The archive of the node image; none where the native engine's store has it already.
fn node_image(options: &Options, kind: &Path) -> Result<Option<PathBuf>, Failure> {
    if options.image.is_some() {
        return Ok(options.image.clone());
    }
    if options.provider != "native" {
        return node_image::archive(kind, &[]).map(Some);
    }
    node_image::build(kind, &Cluster::state(&cluster_directory()), &[])?;
    Ok(None)
}

/// Keeps a second run away from the cluster of the first for as long as the file is open.
fn lock() -> Result<File, Failure> {
    fs::create_dir_all(directory())?;
    let path = directory().join("lock");
    let file = File::create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(format!("another run works in {}", directory().display()).into())
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}
