//! What happens in a world of its own: the cluster, the tests, and what is told of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use kind_e2e::{ADDRESS, Engine};
use kind_testkit::registry::{self, Registry};

use super::cluster::Cluster;
use super::ginkgo::{Ginkgo, Selection, any_of};
use super::images::Images;
use super::junit::Outcomes;
use super::options::Options;
use super::place::{cluster_directory, directory};
use super::progress;
use super::report::{self, Explanations, Run};
use super::suite::Suite;
use crate::shell::{root, say};
use crate::{Failure, programs};

/// What counts as conformance.
const CONFORMANCE: &str = r"\[Conformance\]";
/// What cannot run beside other tests.
const SERIAL: &str = r"\[Serial\]|\[Disruptive\]";
/// Nothing: no test has this in its name.
const NONE: &str = "^$";

/// Runs the tests on a cluster that comes and goes, and fails if one does that nothing explains.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let [kind, node_image, suite, options @ ..] = arguments else {
        return Err("this is for xtask itself".into());
    };
    let options = Options::parse(options)?;
    let suite = Suite::open(Some(Path::new(suite)))?;
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let results = fresh_directory("results")?;
    let node_image = Some(Path::new(node_image)).filter(|_| !node_image.is_empty());
    let images = Images::of(&suite, &directory())?;
    let registry = start_registry(&images)?;
    let mirror = format!("http://{ADDRESS}:{}", registry.address().port());
    let cluster = start_cluster(&options, kind.into(), node_image, &mirror)?;
    let archive = directory().join("stand-ins.tar");
    images.archive(&cluster.images()?, &archive)?;
    cluster.load(&archive)?;
    let ginkgo = Ginkgo {
        suite: &suite,
        kubeconfig: cluster.kubeconfig(),
        directory: &results,
        progress: progress::listen()?,
        deadline: Instant::now() + options.timeout,
        interrupted,
    };
    let began = Instant::now();
    let mut outcomes = Outcomes::default();
    let ended = run_tests(&ginkgo, &options, &mut outcomes);
    if outcomes.failures().count() > 0 {
        cluster.export_logs(&results.join("nodes"));
    }
    let run = Run {
        version: &suite.version,
        minor_version: suite.minor_version(),
        engine: &options.provider,
        parallel: options.parallel,
        elapsed: began.elapsed(),
    };
    let known = Explanations::read(suite.minor_version())?;
    let mut places = vec![results.as_path()];
    let pages = root().join("docs/conformance");
    if options.is_whole() && ended.is_ok() {
        places.push(&pages);
    }
    write(&run, &outcomes, &known, &places)?;
    ended?;
    let unexplained = known.unexplained(&outcomes);
    if unexplained.is_empty() {
        return Ok(());
    }
    Err(format!("failed:\n  {}", unexplained.join("\n  ")).into())
}

/// Writes table and report into directories.
fn write(
    run: &Run<'_>,
    outcomes: &Outcomes,
    known: &Explanations,
    directories: &[&Path],
) -> Result<(), Failure> {
    let table = report::render(run, outcomes, known);
    say(&format!("\n{table}"));
    let name = match run.engine {
        "native" => run.minor_version.to_owned(),
        engine => format!("{}-{engine}", run.minor_version),
    };
    for directory in directories {
        fs::write(directory.join(format!("{name}.md")), &table)?;
        fs::write(
            directory.join(format!("{name}.junit.xml")),
            outcomes.render(),
        )?;
    }
    Ok(())
}

/// A registry with the images that the tests pull.
fn start_registry(images: &Images) -> Result<Registry, Failure> {
    let registry = Registry::start_with(&registry::Options {
        for_others: true,
        ..registry::Options::default()
    });
    images.publish(&registry)?;
    Ok(registry)
}

fn start_cluster(
    options: &Options,
    kind: PathBuf,
    node_image: Option<&Path>,
    registry: &str,
) -> Result<Cluster, Failure> {
    let place = cluster_directory();
    fs::create_dir_all(&place)?;
    let runtime = programs::directory().join("debug/restricted-runtime");
    let engine = Engine::start(&options.provider, &place, &runtime)?;
    if let Some(archive) = node_image.filter(|_| !engine.is_native()) {
        engine.load(archive)?;
    }
    Cluster::create(engine, kind, &place, node_image, registry)
}

/// First what runs in parallel, then what does not, then again by itself what failed.
fn run_tests(
    ginkgo: &Ginkgo<'_>,
    options: &Options,
    outcomes: &mut Outcomes,
) -> Result<(), Failure> {
    let focus = options.focus.as_deref().unwrap_or(CONFORMANCE);
    outcomes.extend(ginkgo.run(&Selection {
        name: "parallel",
        focus,
        skip: SERIAL,
        parallel: options.parallel,
    })?);
    let alone = |name, focus: &str, skip: &str| {
        ginkgo.run(&Selection {
            name,
            focus,
            skip,
            parallel: 1,
        })
    };
    let (serial, skip) = select_serial(focus, outcomes);
    outcomes.extend(alone("serial", &serial, &skip)?);
    if outcomes.0.is_empty() {
        return Err(format!("no test matches {focus:?}").into());
    }
    let failed = any_of(outcomes.failures().map(|(name, _)| name));
    if !failed.is_empty() {
        outcomes.repeat(alone("repeated", &failed, NONE)?);
    }
    Ok(())
}

/// What to focus on and what to skip for those tests of a focus that cannot run beside others. Go's expressions know
/// no "and": a focus that speaks of such tests itself is taken as it is, without what has run.
fn select_serial(focus: &str, ran: &Outcomes) -> (String, String) {
    if !focus.contains("Serial") && !focus.contains("Disruptive") {
        let both = format!("({focus}).*({SERIAL})|({SERIAL}).*({focus})");
        return (both, NONE.to_owned());
    }
    let names = any_of(ran.0.keys().map(String::as_str));
    let skip = if names.is_empty() { NONE } else { &names };
    (focus.to_owned(), skip.to_owned())
}

/// An empty directory for this run.
fn fresh_directory(name: &str) -> Result<PathBuf, Failure> {
    let path = directory().join(name);
    if path.exists() {
        fs::remove_dir_all(&path)?;
    }
    fs::create_dir_all(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_focus_on_serial_tests_finds_them() {
        let mut ran = Outcomes::default();
        let (focus, skip) = select_serial("DNS", &ran);
        assert!(focus.starts_with(r"(DNS).*(\[Serial\]"), "{focus}");
        assert_eq!(skip, NONE);
        let expected = (r"Pods \[Serial\] a".to_owned(), NONE.to_owned());
        assert_eq!(select_serial(&expected.0, &ran), expected);
        let outcome = super::super::junit::Outcome {
            seconds: 1.0,
            failure: None,
            again: false,
        };
        ran.0.insert("Pods b".to_owned(), outcome);
        assert_eq!(select_serial(&expected.0, &ran).1, "Pods b");
    }
}
