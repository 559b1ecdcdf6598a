//! Builds everything, carries it into the guest and runs the suites there.

use std::fs;
use std::path::{Path, PathBuf};

use super::guest::Guest;
use super::results::Results;
use super::ways::{self, WAYS, Way};
use crate::shell::{self, cargo, output, root, say};
use crate::{Failure, node_image, programs, sample};

/// Suites that run on every way, as cargo calls their binaries.
const SUITES: [&str; 3] = ["clusters", "nodes", "features"];

/// What the developer asked for.
struct Options {
    script: PathBuf,
    /// Archive with the node image; made from Debian's packages otherwise.
    image: Option<PathBuf>,
    /// The guest goes on after the tests.
    keep: bool,
    /// Words after `--` go to the suites: filters, `--skip NAME`.
    arguments: Vec<String>,
    ways: Vec<&'static Way>,
}

/// Builds everything, carries it into the guest, runs the suites and writes a table of what came of them.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = read(arguments)?;
    let guest = Guest::new(options.script.clone())?;
    carry(&guest, &options)?;
    guest.up()?;
    let mut results = Results::default();
    for way in &options.ways {
        say(&format!("{} ...", way.name));
        if let Err(problem) = test(&guest, way, &options, &mut results) {
            say(&format!("{}: {problem}", way.name));
            results.unprepared(way.name);
        }
    }
    let table = programs::directory().join("lab.md");
    fs::write(&table, results.table())?;
    say(&format!("{}\n{}", results.table(), table.display()));
    if !options.keep {
        guest.down()?;
    }
    match results.failures() {
        0 => Ok(()),
        failed => Err(format!("{failed} tests failed in the guest").into()),
    }
}

fn read(arguments: &[String]) -> Result<Options, Failure> {
    let script = std::env::var_os("KIND_LAB").map(PathBuf::from);
    let mut options = Options {
        script: script.unwrap_or_else(|| root().join("../shared/lab/lab")),
        image: None,
        keep: false,
        arguments: Vec::new(),
        ways: Vec::new(),
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--lab" => options.script = value()?.into(),
            "--image" => options.image = Some(value()?.into()),
            "--keep" => options.keep = true,
            "--" => {
                options.arguments = words.by_ref().cloned().collect();
            }
            name => options.ways.push(ways::named(name)?),
        }
    }
    if options.ways.is_empty() {
        options.ways = WAYS.iter().collect();
    }
    Ok(options)
}

/// Puts programs, suites and archives into the share.
fn carry(guest: &Guest, options: &Options) -> Result<(), Failure> {
    let directory = guest.share().join(ways::DIRECTORY);
    fs::create_dir_all(&directory)?;
    let kind = programs::build()?.kind;
    let image = match &options.image {
        Some(image) => image.clone(),
        None => node_image::archive(&kind, &[])?,
    };
    copy(&kind, &directory.join("kind"))?;
    copy(&image, &directory.join("node-image.tar"))?;
    copy(&sample::archive()?, &directory.join("sample.tar"))?;
    for suite in SUITES {
        copy(&binary(suite)?, &directory.join(suite))?;
    }
    for program in ["kubectl", "docker-registry"] {
        let path = output(shell::program("which").arg(program))?;
        copy(Path::new(path.trim()), &directory.join(program))?;
    }
    Ok(())
}

/// A copy under its name at once: the guest may run the former one.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let draft = to.with_extension("draft");
    fs::copy(from, &draft).map_err(|error| format!("{}: {error}", from.display()))?;
    fs::rename(&draft, to)?;
    Ok(())
}

/// Builds a suite and returns its binary.
fn binary(suite: &str) -> Result<PathBuf, Failure> {
    let build = ["test", "--package", "kind-e2e", "--test", suite, "--no-run"];
    let told = output(
        cargo()
            .args(build)
            .args(["--quiet", "--message-format=json"]),
    )?;
    let artifacts = told
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let executable = |artifact: serde_json::Value| {
        let ours = artifact["target"]["name"] == suite;
        let path = artifact["executable"].as_str()?.to_owned();
        ours.then_some(path)
    };
    let found = artifacts.filter_map(executable).next_back();
    Ok(found
        .ok_or(format!("cargo names no binary of {suite}"))?
        .into())
}

/// Runs every suite on one way.
fn test(guest: &Guest, way: &Way, options: &Options, results: &mut Results) -> Result<(), Failure> {
    for script in way.prepare {
        guest.shell(script.user, script.text)?;
    }
    for suite in SUITES {
        let command = way.command(suite, &options.arguments);
        let (printed, succeeded) = guest.stream(way.user, &command)?;
        results.add(way.name, suite, &printed, succeeded);
    }
    Ok(())
}
