//! Builds and fetches what is compared, before the contest.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use kind_e2e::{Kept, enclosed, reference_kind};
use kind_image::store::Store;

use crate::shell::{self, cargo};
use crate::{Failure, node_image, packages, programs};

/// The word that makes xtask run the contest itself; the rest of its command line says what to compare.
pub(crate) const INSIDE: &str = "bench-inside";

/// Runs as often as nothing else is said.
const RUNS: usize = 3;

/// Builds and fetches what is compared, and runs the contest beside an engine of its own.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let (runs, nodes) = (
        number(arguments, "--runs")?.unwrap_or(RUNS),
        number(arguments, "--nodes")?.unwrap_or(1),
    );
    for needs in [&packages::CLUSTER[..], &packages::TESTS, &packages::ENGINES] {
        packages::ensure(needs, true)?;
    }
    let kind = programs::build()?.kind;
    shell::run(cargo().args(["build", "--package", "kind-e2e", "--bins"]))?;
    let image = match value(arguments, "--image") {
        Some(archive) => with_whole_names(archive.ok_or("--image needs an archive")?)?,
        None if arguments.iter().any(|argument| argument == "--packed") => {
            node_image::archive(&kind, &["--packed"])?
        }
        None => node_image::archive(&kind, &[])?,
    };
    let original = reference_kind(&programs::directory().join("reference"))?;
    let kept = Kept::new(programs::directory().join("bench"))?;
    let status = enclosed(|command: &mut Command| {
        command
            .arg(std::env::current_exe().unwrap_or_else(|_| "xtask".into()))
            .args([INSIDE, &runs.to_string(), &nodes.to_string()])
            .args([kept.path(), &kind, &original, &image])
            .arg(programs::directory().join("debug/restricted-runtime"));
    })?;
    if status.success() {
        return Ok(());
    }
    Err(format!("the contest ended with {status}").into())
}

/// The archive with names that every engine understands alike: docker leaves its own registry's away.
fn with_whole_names(archive: &str) -> Result<PathBuf, Failure> {
    let scratch = Kept::new(programs::directory().join("bench-image"))?;
    let store = Store::open(scratch.path())?;
    let images = kind_image::archive::read(&store, File::open(archive)?)?;
    let path = programs::directory().join("bench-image.tar");
    kind_image::archive::write(&store, &images, File::create(&path)?)?;
    Ok(path)
}

/// The number that an option gives.
fn number(arguments: &[String], option: &str) -> Result<Option<usize>, Failure> {
    let Some(value) = value(arguments, option) else {
        return Ok(None);
    };
    match value.map(|value| value.parse()) {
        Some(Ok(number)) if number > 0 => Ok(Some(number)),
        _ => Err(format!("{option} needs a number").into()),
    }
}

/// What follows an option, if it is there and if anything does.
fn value<'a>(arguments: &'a [String], option: &str) -> Option<Option<&'a String>> {
    let position = arguments.iter().position(|argument| argument == option)?;
    Some(arguments.get(position + 1))
}
