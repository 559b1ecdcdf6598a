//! An OCI runtime for hosts on which root may not do everything: takes from what an engine asks for what
//! this host cannot give, and hands the rest to `runc`.
//!
//! Docker's `--privileged` asks for every capability there is, and engines raise resource limits and lower
//! `oom_score_adj`. Where the bounding set lacks `CAP_SYS_RESOURCE`, `runc` fails for each of these.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use kind_e2e::Bounds;
use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let failure = match adapt(&arguments) {
        Ok(()) => Command::new("runc").args(&arguments).exec(),
        Err(failure) => failure,
    };
    let _ = writeln!(std::io::stderr(), "restricted-runtime: {failure}");
    ExitCode::FAILURE
}

/// Rewrites the document of a process that is about to start; other calls have none.
fn adapt(arguments: &[OsString]) -> std::io::Result<()> {
    let is = |name: &str| arguments.iter().any(|argument| argument == name);
    if is("exec")
        && let Some(file) = value(arguments, &["--process", "-p"])
    {
        return rewrite(&file, None);
    }
    if (is("create") || is("run"))
        && let Some(bundle) = value(arguments, &["--bundle", "-b"])
    {
        return rewrite(&bundle.join("config.json"), Some("process"));
    }
    Ok(())
}

/// The value of an option, written in one word or in two.
fn value(arguments: &[OsString], names: &[&str]) -> Option<PathBuf> {
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if names.contains(&word) {
            return words.next().map(PathBuf::from);
        }
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if names.contains(&name) {
            return Some(PathBuf::from(value));
        }
    }
    None
}

fn rewrite(path: &Path, member: Option<&str>) -> std::io::Result<()> {
    let mut document: Value = serde_json::from_slice(&fs::read(path)?)?;
    let process = match member {
        Some(member) => &mut document[member],
        None => &mut document,
    };
    if let Some(process) = process.as_object_mut() {
        Bounds::of_host().apply(process);
    }
    fs::write(path, serde_json::to_vec(&document)?)
}
