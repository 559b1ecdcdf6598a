//! The contest itself, in a world of its own with one engine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use kind_e2e::{Engine, Kind};
use kind_image::archive;
use kind_image::store::Store;

use super::phases::{self, Times};
use super::table::{self, Column};
use crate::Failure;
use crate::shell::say;

const CLUSTER: &str = "bench";

/// The configuration up to the workers. Kubelets from 1.35 on refuse hosts with cgroup v1 unless they are told not
/// to, which the original kind leaves to its users; older ones only warn of a field that they do not know.
const HEAD: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  failCgroupV1: false
nodes:
- role: control-plane
";

/// What the command line of [`super::INSIDE`] says.
struct Contest {
    runs: usize,
    nodes: usize,
    directory: PathBuf,
    kind: PathBuf,
    original: PathBuf,
    node_image: PathBuf,
    runtime: PathBuf,
}

impl Contest {
    fn parse(arguments: &[String]) -> Option<Self> {
        let [runs, nodes, directory, kind, original, node_image, runtime] = arguments else {
            return None;
        };
        Some(Self {
            runs: runs.parse().ok()?,
            nodes: nodes.parse().ok()?,
            directory: directory.into(),
            kind: kind.into(),
            original: original.into(),
            node_image: node_image.into(),
            runtime: runtime.into(),
        })
    }

    /// One control plane and workers.
    fn config(&self) -> Result<PathBuf, Failure> {
        let path = self.directory.join("cluster.yaml");
        let workers = "- role: worker\n".repeat(self.nodes - 1);
        fs::write(&path, format!("{HEAD}{workers}"))?;
        Ok(path)
    }
}

/// A command on an engine.
struct Contestant {
    name: &'static str,
    kind: Kind,
}

/// Everyone who takes part, the original first, and every engine ready for them.
fn contestants(contest: &Contest) -> Result<Vec<Contestant>, Failure> {
    let engine = |name: &str| -> Result<Arc<Engine>, Failure> {
        let directory = contest.directory.join(name);
        fs::create_dir_all(&directory)?;
        Ok(Arc::new(Engine::start(name, &directory, &contest.runtime)?))
    };
    let (docker, podman, native) = (engine("docker")?, engine("podman")?, engine("native")?);
    for engine in [&docker, &podman] {
        engine.load(&contest.node_image)?;
    }
    let home = |name: &str| contest.directory.join(name);
    Ok(vec![
        Contestant {
            name: "kind 0.33 on docker",
            kind: Kind::original(contest.original.clone(), &home("original"), docker.clone()),
        },
        Contestant {
            name: "ours on docker",
            kind: Kind::new(contest.kind.clone(), &home("ours"), docker),
        },
        Contestant {
            name: "ours on podman",
            kind: Kind::new(contest.kind.clone(), &home("podman"), podman),
        },
        Contestant {
            name: "ours on native",
            kind: Kind::new(contest.kind.clone(), &home("native"), native),
        },
    ])
}

/// Lets every contestant make and delete a cluster, in turn, and prints the table.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let contest = Contest::parse(arguments).ok_or("this is for xtask itself")?;
    let contestants = contestants(&contest)?;
    let config = contest.config()?;
    // The image gets into the native engine's store before the clock runs.
    let native = contestants.iter().find(|it| it.kind.is_native());
    let image = store(native.ok_or("nobody is native")?, &contest.node_image)?;
    let column = |contestant: &Contestant| Column {
        name: contestant.name.to_owned(),
        creates: Vec::new(),
        deletes: Vec::new(),
    };
    let mut columns: Vec<_> = contestants.iter().map(column).collect();
    for run in 1..=contest.runs {
        for (contestant, column) in contestants.iter().zip(&mut columns) {
            say(&format!(
                "run {run} of {}: {}",
                contest.runs, contestant.name
            ));
            match create(contestant, &image, &config) {
                Ok(times) => column.creates.push(times),
                Err(failure) => say(&format!("{}: {failure}", contestant.name)),
            }
            let began = Instant::now();
            contestant
                .kind
                .run(&["delete", "cluster", "--name", CLUSTER]);
            column.deletes.push(began.elapsed());
        }
    }
    say(&table::render(&columns));
    Ok(())
}

/// Puts the image into the native engine's store, and says what it is called.
fn store(native: &Contestant, image: &Path) -> Result<String, Failure> {
    let store = Store::open(&native.kind.state().join("images"))?;
    let images = archive::read(&store, File::open(image)?)?;
    let names = images.iter().flat_map(|image| image.references());
    let name = names.last().ok_or("the node image has no name")?;
    Ok(name.to_string())
}

fn create(contestant: &Contestant, image: &str, config: &Path) -> Result<Times, Failure> {
    let arguments = ["create", "cluster", "--name", CLUSTER, "--wait", "3m"];
    let mut command: Command = contestant.kind.command(&arguments);
    command.args(["--image", image, "--config"]).arg(config);
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let lines = child
        .stderr
        .take()
        .map(|stderr| phases::watch(stderr, began));
    let lines = lines.unwrap_or_default();
    let status = child.wait()?;
    let total = began.elapsed();
    if status.success() {
        return Ok(phases::times(&lines, total));
    }
    let text: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
    Err(format!("create failed:\n{}", text.join("\n")).into())
}
