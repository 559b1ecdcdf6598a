//! What the tests of an engine share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use kind_e2e::{Answer, DIRECTORY, Disk, Engine, Kind, eventually};

use crate::clusters::{FEW, MANY, Shape};

/// The image from which engines with images of their own make nodes.
pub(crate) const NODE_IMAGE: &str = "docker.io/kindest/node:debian";

/// What the tests of an engine share.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) engine: Arc<Engine>,
    /// An archive with the image of the sample app.
    pub(crate) sample: PathBuf,
    /// The small disk, once a cluster uses it.
    pub(crate) disk: OnceLock<Disk>,
    pub(crate) directory: tempfile::TempDir,
}

impl World {
    /// Whether the variables name what is built before the tests: `KIND_BINARY`, the command;
    /// `KIND_SAMPLE_IMAGE` and `KIND_NODE_IMAGE`, archives with the images.
    pub(crate) fn is_built() -> bool {
        let names = ["KIND_BINARY", "KIND_SAMPLE_IMAGE", "KIND_NODE_IMAGE"];
        names.iter().all(|name| path(name).is_ok())
    }

    /// Starts the engine.
    pub(crate) fn new(engine: &str) -> Result<Self, String> {
        let runtime = Path::new(env!("CARGO_BIN_EXE_restricted-runtime"));
        let engine = Engine::start(engine, &path(DIRECTORY)?, runtime)?;
        if !engine.is_native() {
            engine.load(&path("KIND_NODE_IMAGE")?)?;
        }
        let (engine, directory) = (Arc::new(engine), tempfile::tempdir().unwrap());
        Ok(Self {
            kind: Kind::new(path("KIND_BINARY")?, directory.path(), engine.clone()),
            engine,
            sample: path("KIND_SAMPLE_IMAGE")?,
            disk: OnceLock::new(),
            directory,
        })
    }

    /// Creates a cluster and waits until its control planes are ready.
    pub(crate) fn create(&self, config: &str) -> Answer {
        let path = self.directory.path().join("cluster.yaml");
        fs::write(&path, config).unwrap();
        let image = if self.engine.is_native() {
            ["--from", "debian"]
        } else {
            ["--image", NODE_IMAGE]
        };
        let arguments = ["create", "cluster", "--wait", "5m", "--config"];
        let arguments = [&arguments[..], &[path.to_str().unwrap()], &image];
        self.kind.run(&arguments.concat())
    }

    /// Starts whatever does not run, and waits until all is well.
    pub(crate) fn start(&self, shape: &Shape) {
        let arguments = ["start", "cluster", "--name", shape.name, "--wait", "3m"];
        let answer = self.kind.run(&arguments);
        assert!(answer.stderr.contains(" • Ready after "), "{answer:#?}");
        answer.expect("start cluster");
    }

    /// Every node of the cluster is Ready as the API server sees it.
    pub(crate) fn nodes_become_ready(&self, shape: &Shape, seconds: u64) {
        eventually("every node is ready", seconds, || {
            self.nodes_are_ready(shape)
        });
    }

    /// The nodes as the API server sees them if one is not Ready.
    pub(crate) fn nodes_are_ready(&self, shape: &Shape) -> Result<(), Answer> {
        let listed = self.kind.ask(&["get", "nodes", "--no-headers"]);
        let ready = |line: &&str| line.split_whitespace().nth(1) == Some("Ready");
        let ready: Vec<_> = listed.stdout.lines().filter(ready).collect();
        let is_ready = |node: &&str| {
            let mut names = ready.iter().map(|line| line.split_whitespace().next());
            names.any(|name| name == Some(node))
        };
        if listed.code == 0 && shape.nodes.iter().all(is_ready) {
            Ok(())
        } else {
            Err(listed)
        }
    }

    /// What `kubectl get` prints of an object by this path.
    pub(crate) fn get(&self, object: &[&str], path: &str) -> String {
        let path = format!("jsonpath={path}");
        let arguments = [&["get"], object, &["-o", &path]].concat();
        self.kind.ask(&arguments).expect("kubectl get")
    }

    /// Has all nodes know the image of the sample app.
    pub(crate) fn load_sample(&self, shape: &Shape) {
        let archive = self.sample.to_str().unwrap();
        let arguments = ["load", "image-archive", "--name", shape.name, archive];
        self.kind.run(&arguments).expect("load image-archive");
        // A controller manager of 1.20 takes ten seconds before it makes one.
        eventually("pods have a service account", 60, || {
            match self.kind.ask(&["get", "serviceaccount", "default"]) {
                Answer { code: 0, .. } => Ok(()),
                answer => Err(answer),
            }
        });
    }

    pub(crate) fn delete(&self, shape: &Shape) {
        let arguments = ["delete", "cluster", "--name", shape.name];
        self.kind.run(&arguments).expect("delete cluster");
    }

    /// Whatever happened, no cluster stays.
    pub(crate) fn end(&self) {
        for shape in [FEW, MANY] {
            self.delete(&shape);
        }
        if self.engine.is_native() {
            let left = fs::read_dir(self.kind.state().join("nodes"));
            assert_eq!(left.into_iter().flatten().count(), 0, "nodes are left");
        }
    }
}

fn path(variable: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.ok_or_else(|| format!("{variable} is not set"))
}
