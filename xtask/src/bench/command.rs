//! Builds and fetches what is compared, before the contest.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use kind_e2e::{Kept, enclosed, reference_kind};
use kind_image::store::Store;

use super::options::Options;
use crate::shell::{self, cargo};
use crate::{Failure, node_image, packages, programs, sample};

/// The word that makes xtask run the contest itself; the rest of its command line says what to compare.
pub(crate) const INSIDE: &str = "bench-inside";

/// Builds and fetches what is compared, and runs the contest beside an engine of its own.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    for needs in [&packages::CLUSTER[..], &packages::TESTS, &packages::ENGINES] {
        packages::ensure(needs, true)?;
    }
    let kind = programs::build()?.kind;
    shell::run(cargo().args(["build", "--package", "kind-e2e", "--bins"]))?;
    let image = match &options.image {
        Some(archive) => with_whole_names(archive)?,
        None if options.packed => node_image::archive(&kind, &["--packed"])?,
        None => node_image::archive(&kind, &[])?,
    };
    let app = sample::archive()?;
    let original = reference_kind(&programs::directory().join("reference"))?;
    let kept = Kept::new(programs::directory().join("bench"))?;
    let status = enclosed(|command: &mut Command| {
        command
            .arg(std::env::current_exe().unwrap_or_else(|_| "xtask".into()))
            .args([INSIDE, &options.to_json().to_string()])
            .args([kept.path(), &kind, &original, &image, &app])
            .arg(programs::directory().join("debug/restricted-runtime"));
    })?;
    if !status.success() {
        return Err(format!("the contest ended with {status}").into());
    }
    match &options.output {
        Some(output) => keep_result(kept.path(), output),
        None => Ok(()),
    }
}

/// Copies what the contest wrote to `latest.md` and `latest.json` of a directory.
fn keep_result(contest: &Path, output: &Path) -> Result<(), Failure> {
    fs::create_dir_all(output)?;
    for kind in ["md", "json"] {
        let result = contest.join(format!("result.{kind}"));
        fs::copy(result, output.join(format!("latest.{kind}")))?;
    }
    Ok(())
}

/// The archive with names that every engine understands alike: docker leaves its own registry's away.
fn with_whole_names(archive: &Path) -> Result<PathBuf, Failure> {
    let scratch = Kept::new(programs::directory().join("bench-image"))?;
    let store = Store::open(scratch.path())?;
    let images = kind_image::archive::read(&store, File::open(archive)?)?;
    let path = programs::directory().join("bench-image.tar");
    kind_image::archive::write(&store, &images, File::create(&path)?)?;
    Ok(path)
}
