//! What the tests of an engine share: one command, one engine, one cluster.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kind_e2e::{Answer, DIRECTORY, Engine, Kind, Traces};

use crate::names::{MIXED, ORDINARY, OWN, PACKED, PAIR, PULLED, SIX, THEIRS, VICTIM};

/// Name of the node of the cluster that the tests share.
pub(crate) const NODE: &str = "e2e-control-plane";

/// The image from which engines with images of their own make nodes.
pub(crate) const NODE_IMAGE: &str = "docker.io/kindest/node:debian";

/// What is built before the tests and named by variables.
pub(crate) struct ImageInputs {
    /// `KIND_BINARY`: the command.
    kind: PathBuf,
    /// `KIND_SAMPLE_IMAGE`: an archive with the image of the sample app.
    sample: PathBuf,
    /// `KIND_NODE_IMAGE`: an archive with [`NODE_IMAGE`].
    node_image: Option<PathBuf>,
}

impl ImageInputs {
    pub(crate) fn from_environment() -> Option<Self> {
        let path = |name| std::env::var_os(name).map(PathBuf::from);
        Some(Self {
            kind: path("KIND_BINARY")?,
            sample: path("KIND_SAMPLE_IMAGE")?,
            node_image: path("KIND_NODE_IMAGE"),
        })
    }

    pub(crate) fn check_node_image(&self) -> Result<&Path, String> {
        let image = self.node_image.as_deref();
        image.ok_or_else(|| "KIND_NODE_IMAGE names no archive".to_owned())
    }
}

/// What the tests of an engine share.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) sample: PathBuf,
    pub(crate) directory: tempfile::TempDir,
    /// The host before the first cluster.
    before: Traces,
    /// Port of the host that leads to the sample app.
    pub(crate) port: u16,
    pub(crate) engine: Arc<Engine>,
}

/// A port of the host that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl World {
    /// Starts the engine.
    pub(crate) fn new(engine: &str) -> Result<Self, String> {
        let ingredients = ImageInputs::from_environment().ok_or("nothing is built")?;
        let kept = PathBuf::from(std::env::var_os(DIRECTORY).ok_or("no directory is named")?);
        let runtime = Path::new(env!("CARGO_BIN_EXE_restricted-runtime"));
        let engine = Engine::start(engine, &kept, runtime)?;
        if !engine.is_native() {
            engine.load(ingredients.check_node_image()?)?;
        }
        let engine = Arc::new(engine);
        let directory = tempfile::tempdir().unwrap();
        Ok(Self {
            kind: Kind::new(ingredients.kind, directory.path(), engine.clone()),
            sample: ingredients.sample,
            before: Traces::of_host(),
            directory,
            port: free_port(),
            engine,
        })
    }

    /// A directory of the host that the node shows at `/shared`.
    pub(crate) fn shared(&self) -> PathBuf {
        self.directory.path().join("shared")
    }

    fn config(&self) -> PathBuf {
        let path = self.directory.path().join("cluster.yaml");
        fs::create_dir_all(self.shared()).unwrap();
        let text = format!(
            "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: e2e\nnodes:\n- role: control-plane\n  \
             extraPortMappings:\n  - containerPort: 30080\n    hostPort: {}\n    listenAddress: 127.0.0.1\n  \
             extraMounts:\n  - hostPath: {shared}\n    containerPath: /shared\n  \
             - hostPath: {shared}\n    containerPath: /shared-to-read\n    readOnly: true\n",
            self.port,
            shared = self.shared().display(),
        );
        fs::write(&path, text).unwrap();
        path
    }

    /// What says from which image nodes are made.
    pub(crate) fn image(&self) -> [&'static str; 2] {
        if self.engine.is_native() {
            ["--from", "debian"]
        } else {
            ["--image", NODE_IMAGE]
        }
    }

    pub(crate) fn create(&self) -> Answer {
        let config = self.config();
        let arguments = ["create", "cluster", "--wait", "2m", "--config"];
        let arguments = [&arguments[..], &[config.to_str().unwrap()], &self.image()];
        self.kind.run(&arguments.concat())
    }

    /// Whatever happened, no cluster stays, and nothing that one made.
    pub(crate) fn end(&self) {
        let names = [
            "e2e", "seeded", VICTIM, PAIR, MIXED, SIX, OWN, THEIRS, ORDINARY, PACKED, PULLED,
        ];
        for name in names {
            self.kind
                .run(&["delete", "cluster", "--name", name])
                .expect("delete cluster");
        }
        self.kind.run(&["prune"]).expect("prune");
        if !self.engine.is_native() {
            let volumes = self.engine.client(&["volume", "ls", "--quiet"]);
            assert_eq!(volumes.expect("the engine answers"), "");
        }
        self.nothing_is_left();
    }

    pub(crate) fn nothing_is_left(&self) {
        if !self.engine.is_native() {
            let left = |list| self.engine.client(list).expect("the engine answers");
            assert_eq!(left(&["ps", "--all", "--quiet"]), "");
            let volumes = left(&["volume", "ls", "--quiet"]);
            // Nodes to come share these.
            let mut volumes = volumes
                .lines()
                .filter(|name| !name.starts_with("kind-var-"));
            assert_eq!(volumes.next(), None);
            return;
        }
        self.before.await_restored();
        for directory in ["nodes", "networks", "trash"] {
            let left: Vec<_> = fs::read_dir(self.kind.state().join(directory))
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}
