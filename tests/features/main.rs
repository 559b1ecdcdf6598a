//! What current Kubernetes can do only with a container runtime that is new enough, on the node image that
//! `KIND_NODE_IMAGE` names, and what every node image owes its runtime.
//!
//! It needs root, `kubectl`, docker, and what [`ImageInputs`] names. The tests of an engine run in the order
//! of [`TESTS`] and share one cluster. `KIND_E2E_ENGINE` and a filter like `native::` choose among them. Tests
//! of features that the image's Kubernetes does not have are listed as ignored, with the reason.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod images;
mod pods;
mod runtime;
mod world;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use kind_e2e::{DIRECTORY, ENGINE, Shared, run_on};
use kind_image::packages::{Release, is_at_least};
use libtest_mimic::{Arguments, Trial};

use images::*;
use pods::*;
use runtime::*;
use world::{ImageInputs, World};

type Test = fn(&World);

/// Engines on which they run.
const ENGINES: [&str; 3] = ["native", "docker", "podman"];
/// For what engines keep.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
/// Every Kubernetes does.
const ANY: Release = (1, 0);

/// The tests by their names, each with the first Kubernetes that has what it is about.
macro_rules! named {
    ($($test:ident since $release:expr),* $(,)?) => {
        [$((stringify!($test), $test as Test, $release)),*]
    };
}

const TESTS: [(&str, Test, Release); 8] = named![
    a_cluster_of_the_image_becomes_ready since ANY,
    containerd_knows_its_whole_configuration since ANY,
    the_node_tells_what_it_can_do since (1, 33),
    root_in_a_pod_is_not_root_on_the_node since (1, 33),
    groups_of_the_image_are_left_out_when_strict since (1, 33),
    what_is_mounted_below_a_read_only_mount_is_read_only_too since (1, 33),
    an_image_is_mounted_as_a_volume since (1, 35),
    images_are_loaded_for_every_snapshotter since ANY,
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let ingredients = ImageInputs::from_environment();
    let version = ingredients.as_ref().map(ImageInputs::kubernetes_version);
    let trials = |engine: &str, shared: &Shared<World>| {
        let tests = TESTS.into_iter();
        let trial = |(name, test, since)| {
            ignore_older(shared.trial(engine, name, test), version.as_deref(), since)
        };
        tests.map(trial).collect::<Vec<_>>()
    };
    let shared = Shared::new(World::new);
    match (std::env::var(ENGINE), &version) {
        (Ok(engine), Some(_)) if std::env::var_os(DIRECTORY).is_some() => {
            shared.run(&engine, arguments, trials(&engine, &shared), World::end)
        }
        (engine, Some(_)) if !arguments.list => run_each(engine.ok().as_deref()),
        _ => {
            let all = ENGINES.iter().flat_map(|engine| trials(engine, &shared));
            libtest_mimic::run(&arguments, all.collect()).exit_code()
        }
    }
}

/// A test, ignored if there is no image, or if its Kubernetes does not have what the test is about.
fn ignore_older(trial: Trial, version: Option<&str>, since: Release) -> Trial {
    match version {
        Some(version) if is_at_least(version, since) => trial,
        Some(version) => trial.with_ignored_flag(true).with_kind(format!(
            "Kubernetes {version} is older than {}.{}",
            since.0, since.1
        )),
        None => trial.with_ignored_flag(true).with_kind("nothing is built"),
    }
}

fn run_each(only: Option<&str>) -> ExitCode {
    let wanted = ENGINES
        .iter()
        .filter(|engine| only.is_none_or(|only| only == **engine));
    let mut code = ExitCode::SUCCESS;
    for engine in wanted {
        if let Err(problem) = run_on(engine, &Path::new(SCRATCH).join("features"), &[]) {
            let _ = writeln!(std::io::stderr(), "{engine}: {problem}");
            code = ExitCode::from(101);
        }
    }
    code
}
