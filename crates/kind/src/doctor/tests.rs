//! What tests of judges share, and tests of the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kind_diagnosis::Severity;
use kind_engine::fake::{Fake, Program};
use kind_engine::{CLUSTER_LABEL, Engine, HostConfig, NodeSpec, Port, Protocol, ROLE_LABEL};
use kind_node::examination::{Examination as OfNode, Server};

use super::examine::examine_nodes;
use super::host::FIRST;
use super::outcome::Outcome;
use super::{CheckDescription, Examination, Verdict, cluster_checks, host_checks};
use crate::{Error, KubeconfigFiles, Provider, Result, explain};

/// An outcome in one line, without its remedies, which must be there.
pub(super) fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed(text) => format!("passed: {text}"),
        Outcome::Skipped(text) => format!("skipped: {text}"),
        Outcome::Problems(problems) => {
            let told = problems.iter().map(|problem| {
                let check = &problem.check;
                assert!(
                    !check.expected.is_empty() && !check.remedy.is_empty(),
                    "{check:?}"
                );
                let severity = match check.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                format!("{severity}: {}", check.found)
            });
            told.collect::<Vec<_>>().join("; ")
        }
    }
}

/// Writes a file of a recorded host.
pub(super) fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The documentation's table of checks.
fn table(checks: &[CheckDescription]) -> String {
    let rows = checks.iter().map(|check| {
        let CheckDescription { id, title, remedy } = check;
        format!("| `{id}` | {title} | {remedy} |\n")
    });
    let head = "| id | what it looks at | what mends it |\n|---|---|---|\n";
    std::iter::once(head.to_owned()).chain(rows).collect()
}

#[test]
fn the_documentation_has_every_check() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/doctor.md");
    let page = fs::read_to_string(page).unwrap();
    for table in [table(&host_checks()), table(&cluster_checks())] {
        assert!(
            page.contains(&table),
            "docs/doctor.md lacks this table:\n{table}"
        );
    }
}

#[test]
fn whoever_tells_of_a_known_failure_exists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/known-failures.md");
    let page = fs::read_to_string(page).unwrap();
    let checks = [host_checks(), cluster_checks()].concat();
    let exists = |id: &str| checks.iter().any(|check| check.id == id) || explain(id).is_some();
    let found = page.split("\n## ").nth(1).unwrap();
    let rows = found.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut told = BTreeSet::new();
    for row in rows {
        let by = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let ids: Vec<_> = by.split('`').skip(1).step_by(2).collect();
        assert!(exists(ids.first().unwrap_or(&"")), "{row}");
        let ids = ids.into_iter().filter(|id| !id.contains('/'));
        told.extend(ids.map(str::to_owned));
    }
    let missing: Vec<_> = told.iter().filter(|id| !exists(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn ids_are_told_apart_and_first_checks_exist() {
    let checks = [host_checks(), cluster_checks()].concat();
    let ids: BTreeSet<_> = checks.iter().map(|check| check.id).collect();
    assert_eq!(ids.len(), checks.len());
    assert!(FIRST.iter().all(|id| ids.contains(id)));
}

#[test]
fn a_host_is_looked_at_without_changing_it() {
    let place = tempfile::tempdir().unwrap();
    let settings = Provider::builder()
        .state_dir(place.path().join("state"))
        .temporary_dir(place.path())
        .engine(crate::EngineChoice::Native);
    let kubeconfigs = KubeconfigFiles::one(place.path().join("config"));
    let options = crate::Examine::new().kubeconfigs(Some(kubeconfigs));
    let examination = settings.examine_host(&options);
    assert_eq!(examination.examined.len(), host_checks().len());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

/// A cluster of one node, which answers `examine` like this.
fn cluster(answer: Box<Program>) -> (Arc<Fake>, tempfile::TempDir) {
    let engine = Arc::new(Fake::new(&[], answer));
    let port = Port::new([127, 0, 0, 1].into(), 1, 6443, Protocol::Tcp);
    let labels = [(CLUSTER_LABEL, "a"), (ROLE_LABEL, "control-plane")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let spec = NodeSpec {
        name: "a-control-plane".to_owned(),
        labels: BTreeMap::from(labels),
        host: HostConfig {
            ports: vec![port],
            ..HostConfig::default()
        },
        ..NodeSpec::default()
    };
    engine.create(&spec).unwrap();
    (engine, tempfile::tempdir().unwrap())
}

fn examine(engine: Arc<Fake>, place: &Path, name: &str) -> Result<Examination> {
    let settings = Provider::builder().temporary_dir(place);
    let kubeconfigs = KubeconfigFiles::one(place.join("config"));
    let deadline = Instant::now() + Duration::from_secs(30);
    examine_nodes(
        Provider::on(engine, settings),
        name,
        Some(kubeconfigs),
        deadline,
    )
}

fn verdict(examination: &Examination, id: &str) -> Verdict {
    let mut examined = examination.examined.iter();
    examined.find(|one| one.id == id).unwrap().verdict
}

#[test]
fn a_running_cluster_tells_how_it_is() {
    let (engine, place) = cluster(Box::new(|_, argv, io| {
        assert_eq!(argv.last().unwrap(), "examine");
        let told = OfNode {
            now_ms: u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap(),
            server: Some(Server::default()),
            ..OfNode::default()
        };
        serde_json::to_writer(io.stdout, &told).unwrap();
        Ok(0)
    }));
    engine.start("a-control-plane").unwrap();
    let examination = examine(Arc::clone(&engine), place.path(), "a").unwrap();
    for id in [
        "nodes-running",
        "nodes-answering",
        "api-server",
        "nodes-ready",
        "system-pods",
        "node-clocks",
    ] {
        assert_eq!(
            verdict(&examination, id),
            Verdict::Passed,
            "{id}: {examination:#?}"
        );
    }
    // Nothing listens there, and nobody has exported it.
    assert_eq!(verdict(&examination, "api-server-port"), Verdict::Error);
    assert_eq!(
        verdict(&examination, "kubeconfig-context"),
        Verdict::Warning
    );
    let missing = examine(engine, place.path(), "b").unwrap_err();
    assert!(matches!(missing, Error::NoSuchCluster(_)), "{missing}");
}

#[test]
fn a_stopped_cluster_is_asked_for_nothing() {
    let (engine, place) = cluster(Box::new(|_, _, _| panic!("nothing runs")));
    let examination = examine(engine, place.path(), "a").unwrap();
    assert_eq!(examination.count(Verdict::Error), 1, "{examination:#?}");
    let told: Vec<_> = examination
        .problems()
        .map(|check| check.remedy.as_str())
        .collect();
    assert!(told[0].contains("kind start cluster --name a"), "{told:?}");
}

#[test]
fn nodes_of_other_releases_are_known() {
    let (engine, place) = cluster(Box::new(|_, _, _| Ok(127)));
    engine.start("a-control-plane").unwrap();
    let examination = examine(engine, place.path(), "a").unwrap();
    assert_eq!(verdict(&examination, "nodes-answering"), Verdict::Warning);
    assert_eq!(verdict(&examination, "certificates"), Verdict::Skipped);
}
