//! What the tests of an engine share.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kind_e2e::{Answer, DIRECTORY, Engine, Kind, Traces};
use kind_image::Store;
use kind_image::archive::{self, Archive, PortableImage};
use kind_image::oci::Platform;

/// Name of the cluster.
pub(crate) const CLUSTER: &str = "features";
/// Its only node.
pub(crate) const NODE: &str = "features-control-plane";

/// What is built before the tests and named by variables.
pub(crate) struct ImageInputs {
    /// `KIND_BINARY`: the command.
    kind: PathBuf,
    /// `KIND_SAMPLE_IMAGE`: an archive with the image of the sample app.
    sample: PathBuf,
    /// `KIND_NODE_IMAGE`: an archive with one node image, of any name.
    node_image: PathBuf,
}

impl ImageInputs {
    pub(crate) fn from_environment() -> Option<Self> {
        let path = |name| std::env::var_os(name).map(PathBuf::from);
        Some(Self {
            kind: path("KIND_BINARY")?,
            sample: path("KIND_SAMPLE_IMAGE")?,
            node_image: path("KIND_NODE_IMAGE")?,
        })
    }

    /// The version of the node image's Kubernetes, as its label says.
    pub(crate) fn kubernetes_version(&self) -> String {
        let image = self.image();
        let labels = image.document().config.labels.clone();
        let label = labels
            .unwrap_or_default()
            .remove("io.x-k8s.kind.kubernetes-version");
        label.expect("the node image tells its version")
    }

    fn image(&self) -> PortableImage {
        let spool = tempfile::tempdir().unwrap();
        let archive = Archive::open_file(&self.node_image, spool.path()).unwrap();
        let mut images = archive.images(&Platform::of_host()).unwrap();
        assert_eq!(images.len(), 1, "{}", self.node_image.display());
        images.remove(0)
    }
}

/// What the tests of an engine share.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) engine: Arc<Engine>,
    /// An archive with the image of the sample app.
    pub(crate) sample: PathBuf,
    pub(crate) directory: tempfile::TempDir,
    image: String,
    /// The host before the cluster.
    before: Traces,
}

impl World {
    /// Starts the engine and gives it the node image.
    pub(crate) fn new(engine: &str) -> Result<Self, String> {
        let ingredients = ImageInputs::from_environment().ok_or("nothing is built")?;
        let kept = PathBuf::from(std::env::var_os(DIRECTORY).ok_or("no directory is named")?);
        let runtime = Path::new(env!("CARGO_BIN_EXE_restricted-runtime"));
        let before = Traces::of_host();
        let engine = Arc::new(Engine::start(engine, &kept, runtime)?);
        let directory = tempfile::tempdir().unwrap();
        let kind = Kind::new(ingredients.kind.clone(), directory.path(), engine.clone());
        if engine.is_native() {
            let store = Store::open(&kind.state().join("images")).unwrap();
            archive::read(&store, File::open(&ingredients.node_image).unwrap()).unwrap();
        } else {
            engine.load(&ingredients.node_image)?;
        }
        let image = ingredients.image();
        let name = image.names().first().ok_or("the node image has no name")?;
        Ok(Self {
            image: name.to_string(),
            kind,
            engine,
            sample: ingredients.sample,
            directory,
            before,
        })
    }

    pub(crate) fn create(&self) -> Answer {
        let create = [
            "create",
            "cluster",
            "--wait=4m",
            "--name",
            CLUSTER,
            "--image",
        ];
        self.kind.run(&[&create[..], &[&self.image]].concat())
    }

    /// Loads an archive into the node.
    pub(crate) fn load(&self, archive: &Path) {
        let load = [
            "load",
            "image-archive",
            "--name",
            CLUSTER,
            archive.to_str().unwrap(),
        ];
        self.kind.run(&load).expect("load image-archive");
    }

    /// Runs a shell script in the node.
    pub(crate) fn inside(&self, script: &str) -> String {
        let shell = ["/bin/sh", "-euc", script];
        if !self.engine.is_native() {
            let exec = [&["exec", NODE][..], &shell].concat();
            return self.engine.client(&exec).expect(script);
        }
        let path = self.kind.state().join("nodes").join(NODE).join("run.json");
        let text = fs::read_to_string(&path).unwrap();
        let pid: String = text.chars().filter(char::is_ascii_digit).collect();
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &pid, "--all", "--"])
            .args(shell)
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            );
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Whatever happened, nothing stays.
    pub(crate) fn end(&self) {
        let delete = ["delete", "cluster", "--name", CLUSTER];
        self.kind.run(&delete).expect("delete cluster");
        self.kind.run(&["prune"]).expect("prune");
        if self.engine.is_native() {
            self.before.await_restored();
        } else {
            // What the engine itself has made goes with it.
            let left = self.engine.client(&["ps", "--all", "--quiet"]);
            assert_eq!(left.expect("the engine answers"), "");
        }
    }
}
