//! The contest itself, in a world of its own with its own engines.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use kind_image::archive;
use kind_image::store::Store;
use serde_json::{Value, json};

use super::cluster::Source;
use super::contestant::{self, Contestant, Programs};
use super::image;
use super::options::Options;
use super::report::{self, Setting};
use super::results::Results;
use super::rounds::Course;
use crate::Failure;
use crate::shell::{self, say};

/// What the command line of [`super::INSIDE`] says, beside the options.
struct Places {
    directory: PathBuf,
    node_image: PathBuf,
    app: PathBuf,
    programs: Programs,
}

fn parse(arguments: &[String]) -> Result<(Options, Places), Failure> {
    let [options, directory, ours, original, node_image, app, runtime] = arguments else {
        return Err("this is for xtask itself".into());
    };
    let options = Options::from_json(options)?;
    let programs = Programs {
        ours: ours.into(),
        original: original.into(),
        before: options.before.clone(),
        runtime: runtime.into(),
    };
    let places = Places {
        directory: directory.into(),
        node_image: node_image.into(),
        app: app.into(),
        programs,
    };
    Ok((options, places))
}

/// Lets every contestant do every round, in turn, prints the result and writes it to the directory.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let (options, places) = parse(arguments)?;
    let directory = &places.directory;
    let contestants = contestant::all(&places.programs, directory, &places.node_image)?;
    let name = fill_stores(&contestants, &places.node_image)?;
    let loads = ["load-first", "load-again", "load-changed"];
    let archives = loads.iter().any(|case| options.wants(case));
    let archives = archives.then(|| image::write_archives(&directory.join("image")));
    let course = Course {
        options: &options,
        source: Source {
            image: &name,
            directory,
        },
        archives: archives.transpose()?,
        app: places.app,
    };
    let mut results = Results::default();
    for run in 1..=options.runs {
        for contestant in &contestants {
            say(&format!(
                "run {run} of {}: {}",
                options.runs,
                contestant.title()
            ));
            course.run(contestant, &mut results);
        }
    }
    let setting = Setting {
        machine: machine()?,
        versions: versions(&contestants, &name),
        runs: options.runs,
    };
    let markdown = report::render_markdown(&setting, &results);
    say(&markdown);
    fs::write(directory.join("result.md"), markdown)?;
    let json = serde_json::to_string_pretty(&report::to_json(&setting, &results))?;
    Ok(fs::write(directory.join("result.json"), json + "\n")?)
}

/// Puts the image into the native stores before the clock runs, and says what it is called.
fn fill_stores(contestants: &[Contestant], image: &Path) -> Result<String, Failure> {
    let mut name = None;
    for contestant in contestants.iter().filter(|it| it.kind.is_native()) {
        let store = Store::open(&contestant.kind.state().join("images"))?;
        let images = archive::read(&store, File::open(image)?)?;
        let mut names = images.iter().flat_map(|image| image.references());
        name = names.next_back().map(ToString::to_string);
    }
    Ok(name.ok_or("the node image has no name")?)
}

fn machine() -> Result<Value, Failure> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    let total = memory.split_whitespace().nth(1).ok_or("no memory")?;
    let processors = std::thread::available_parallelism()?.get();
    let unified = fs::exists("/sys/fs/cgroup/cgroup.controllers")?;
    Ok(json!({
        "processors": processors,
        "memory_kib": total.parse::<u64>()?,
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        "cgroup": if unified { "v2" } else { "v1" },
    }))
}

fn versions(contestants: &[Contestant], image: &str) -> Value {
    let mut versions = serde_json::Map::new();
    versions.insert("node image".to_owned(), image.into());
    for contestant in contestants {
        let version = contestant.kind.run(&["version"]).stdout;
        versions.insert(contestant.title(), version.trim().into());
    }
    for (name, program) in [("docker", "dockerd"), ("podman", "podman")] {
        let mut command = Command::new(program);
        let version = shell::output(command.arg("--version")).unwrap_or_default();
        versions.insert(name.to_owned(), version.trim().into());
    }
    versions.into()
}
