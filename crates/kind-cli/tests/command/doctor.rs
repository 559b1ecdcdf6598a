//! `kind doctor`, on hosts whose engines are scripts.

use std::fs::File;
use std::time::{Duration, Instant, SystemTime};

use kind_testkit::schema::Schema;
use serde_json::Value;

use crate::messages::docker;
use crate::run::{Answer, Stage};

/// A docker that says what it is, and whose daemon hangs.
const HANGING: &str =
    "[ \"$1\" = -v ] && echo 'Docker version 28.1.1, build x' && exit\n/usr/bin/sleep 600\n";

/// The check of that id in a document.
fn check(document: &Value, id: &str) -> Value {
    let checks = document["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["id"] == id);
    found
        .unwrap_or_else(|| panic!("no {id} in {document:#}"))
        .clone()
}

fn diagnosis(answer: &Answer) -> Value {
    let document = answer.json();
    let schema = Schema::published("cli-v1");
    assert_eq!(schema.check(&document), Ok(()), "{document:#}");
    assert_eq!(document["kind"], "Diagnosis");
    let code = i32::from(document["errors"] != 0);
    assert_eq!(answer.code, code, "{answer:#?}");
    document
}

#[test]
fn an_engine_that_hangs_is_named() {
    let stage = Stage::new();
    stage.program("docker", HANGING);
    let began = Instant::now();
    let answer = stage.run(&["doctor", "--provider", "docker"]);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(answer.code, 1, "{answer:#?}");
    assert!(
        answer.stdout.starts_with(" ✗ docker: it does not answer"),
        "{answer:#?}"
    );
    let began = Instant::now();
    let document = diagnosis(&stage.run(&["doctor", "dev", "-ojson", "--provider", "docker"]));
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(
        document["checks"].as_array().unwrap().len(),
        1,
        "{document:#}"
    );
    assert_eq!(check(&document, "engine")["verdict"], "error");
}

#[test]
fn an_engine_that_hangs_and_is_passed_over_is_told() {
    let stage = Stage::new();
    stage.program("docker", HANGING);
    let document = diagnosis(&stage.run(&["doctor", "-ojson"]));
    let check = check(&document, "engine");
    let mut causes = check["causes"].as_array().unwrap().iter();
    let docker = causes.find(|cause| cause["subject"] == "docker").unwrap();
    assert_eq!(docker["severity"], "warning", "{check:#}");
    let found = docker["found"].as_str().unwrap();
    assert!(
        found.starts_with("it does not answer, and is passed over"),
        "{found}"
    );
}

#[test]
fn an_engine_that_is_missing_is_told_with_the_others() {
    let answer = Stage::new().run(&["doctor", "-ojson", "--provider", "podman"]);
    let engine = check(&diagnosis(&answer), "engine");
    let cause = &engine["causes"][0];
    assert_eq!(cause["found"], "podman is not installed", "{engine:#}");
    assert_eq!(cause["evidence"][0]["lines"][0], "podman: not installed");
}

#[test]
fn an_unknown_cluster_is_a_failure() {
    let answer = docker().run(&["--provider", "docker", "doctor", "dev"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (1, ""));
    assert!(
        answer.stderr.contains("ERROR: unknown cluster \"dev\""),
        "{answer:#?}"
    );
}

/// A kubeconfig's lock that kubectl has left long ago.
fn with_stale_lock() -> Stage {
    let stage = docker();
    let lock = File::create(stage.path("home/config.lock")).unwrap();
    lock.set_modified(SystemTime::now() - Duration::from_secs(3600))
        .unwrap();
    stage
}

#[test]
fn nothing_is_changed_without_a_yes() {
    let stage = with_stale_lock();
    let config = stage.path("home/config").display().to_string();
    let doctor = [
        "--provider=docker",
        "-ojson",
        "doctor",
        "--kubeconfig",
        &config,
    ];
    let found = diagnosis(&stage.run(&doctor));
    let locks = check(&found, "kubeconfig-locks");
    assert_eq!(locks["verdict"], "warning");
    assert_eq!(locks["fixes"].as_array().unwrap().len(), 1, "{locks:#}");
    let asked = stage.run(&[&doctor[..], &["--fix"]].concat());
    assert_eq!(diagnosis(&asked)["fixed"], Value::Array(Vec::new()));
    assert!(asked.stderr.contains("nothing is changed"), "{asked:#?}");
    assert!(stage.path("home/config.lock").exists());
}

#[test]
fn with_a_yes_it_is_mended_and_looked_at_again() {
    let stage = with_stale_lock();
    let config = stage.path("home/config").display().to_string();
    let doctor = [
        "--provider=docker",
        "-ojson",
        "doctor",
        "--kubeconfig",
        &config,
    ];
    let mended = stage.run(&[&doctor[..], &["--fix", "--yes"]].concat());
    let document = diagnosis(&mended);
    let lock = stage.path("home/config.lock");
    let fixed = document["fixed"].as_array().unwrap();
    assert!(
        fixed.contains(&Value::from(format!("remove {}", lock.display()))),
        "{mended:#?}"
    );
    assert_eq!(check(&document, "kubeconfig-locks")["verdict"], "ok");
    assert!(!lock.exists());
    let alone = stage.run(&["doctor", "--yes"]);
    assert!(alone.stderr.contains("--yes is for --fix"), "{alone:#?}");
}
