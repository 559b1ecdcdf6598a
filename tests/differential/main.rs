//! Random configurations through the original kind and through ours: every file of every node must be
//! the same to the byte, or both must refuse for the same reason.
//!
//! `cargo xtask test` runs it; it needs the program named by `KIND_BINARY`, and Debian's build of the
//! original, which it fetches. `KIND_DIFFERENTIAL_CASES` says how many configurations are tried.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compare;
mod configuration;
mod patches;
mod programs;
mod yaml;

use std::path::PathBuf;

use libtest_mimic::{Arguments, Failed, Trial};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use programs::Programs;

const CASES: u32 = 150;

fn main() {
    let arguments = Arguments::from_args();
    let ours = std::env::var_os("KIND_BINARY").map(PathBuf::from);
    let programs = ours.map(Programs::new);
    let ignored = !matches!(programs, Some(Ok(_)));
    let mut name = "both_make_the_same_of_a_configuration".to_owned();
    if let Some(Err(reason)) = &programs {
        name.push_str(&format!(" ({reason})"));
    }
    let run = move || match programs {
        Some(Ok(programs)) => compare_many(&programs),
        _ => Ok(()),
    };
    let trial = Trial::test(name, run).with_ignored_flag(ignored);
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

fn compare_many(programs: &Programs) -> Result<(), Failed> {
    let cases = std::env::var("KIND_DIFFERENTIAL_CASES").ok();
    let cases = cases.and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&configuration::case(), |case| {
        let (theirs, ours) = (programs.theirs(&case), programs.ours(&case));
        compare::same(&theirs, &ours, case.nodes()).map_err(TestCaseError::fail)
    });
    outcome.map_err(|error| Failed::from(error.to_string()))
}
