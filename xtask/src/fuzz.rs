//! `cargo xtask fuzz`: fuzz targets on a stable compiler for some minutes, each in a process of its own.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Failure;
use crate::shell::{self, cargo};

/// What the developer asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// All targets otherwise.
    target: Option<String>,
    minutes: u64,
    /// What the same seed tries is the same.
    seed: u64,
}

/// How long each target is tried.
const MINUTES: u64 = 5;

/// Tries changes of the seeds of one target, or of all of them at once.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = read_options(arguments)?;
    shell::say(&format!("--seed {} tries the same again", options.seed));
    let mut test = fuzz_tests();
    test.args(["--release", "--test", "bounded"])
        .args(["--", "--nocapture"])
        .env("KIND_FUZZ_MINUTES", options.minutes.to_string())
        .env("KIND_FUZZ_SEED", options.seed.to_string());
    if let Some(target) = &options.target {
        test.env("KIND_FUZZ_ONLY", target);
    }
    shell::run(&mut test)
}

/// The tests of the fuzz targets, which are a workspace of their own.
pub(crate) fn fuzz_tests() -> std::process::Command {
    let mut test = cargo();
    test.args(["test", "--quiet", "--manifest-path", "fuzz/Cargo.toml"]);
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        // What the workspace has compiled is used again.
        test.args(["--target-dir", "target"]);
    }
    test
}

fn read_options(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options {
        target: None,
        minutes: MINUTES,
        seed: seed_of_now(),
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64, Failure> {
            let value = arguments.next().and_then(|value| value.parse().ok());
            Ok(value.ok_or_else(|| format!("{argument} needs a number"))?)
        };
        match argument.as_str() {
            "--minutes" => options.minutes = number()?,
            "--seed" => options.seed = number()?,
            flag if flag.starts_with('-') => return Err(format!("unknown flag {flag}").into()),
            target => options.target = Some(target.to_owned()),
        }
    }
    Ok(options)
}

/// A seed of its own each time.
pub(crate) fn seed_of_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        read_options(&words)
    }

    #[test]
    fn a_target_and_minutes_can_be_given() {
        let options = read("unpack --minutes 20 --seed 7").unwrap();
        let expected = Options {
            target: Some("unpack".to_owned()),
            minutes: 20,
            seed: 7,
        };
        assert_eq!(options, expected);
        assert_eq!(read("").unwrap().minutes, MINUTES);
        for wrong in ["--minutes", "--minutes x", "--forever"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
