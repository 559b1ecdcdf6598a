//! An engine, and the command under test on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kind_e2e::{Engine, Kind};

use crate::{Failure, node_image, programs};

/// The cluster that is broken.
pub(super) const CLUSTER: &str = "faults";

const HEADER: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";

/// What all faults of an engine share.
pub(super) struct Ground {
    pub(super) kind: Kind,
    pub(super) engine: Arc<Engine>,
    pub(super) directory: PathBuf,
    /// What the node image is called.
    image: String,
}

impl Ground {
    /// Starts the engine and brings the node image to it.
    pub(super) fn new(
        engine: &str,
        kind: PathBuf,
        archive: &Path,
        directory: &Path,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(directory.join("tmp"))?;
        let runtime = programs::directory().join("debug/restricted-runtime");
        let engine = Arc::new(Engine::start(engine, directory, &runtime)?);
        let kind = Kind::new(kind, directory, Arc::clone(&engine));
        let image = if engine.is_native() {
            node_image::store_archive(archive, &kind.state())?
        } else {
            engine.load(archive)?;
            node_image::name_in_archive(archive, directory)?
        };
        Ok(Self {
            kind,
            engine,
            directory: directory.to_owned(),
            image,
        })
    }

    /// A command line of the command under test, which keeps logs below the directory.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.kind.command(arguments);
        command.env("TMPDIR", self.directory.join("tmp"));
        command
    }

    /// The creation of a cluster with these lines in its configuration.
    pub(super) fn create(&self, config: &str) -> Result<Command, Failure> {
        let path = self.directory.join("cluster.yaml");
        let config = config.replace("DIRECTORY", &self.directory.to_string_lossy());
        fs::write(&path, format!("{HEADER}{config}\n"))?;
        let mut command = self.command(&["create", "cluster", "--name", CLUSTER]);
        command.args(["--image", &self.image, "--config"]).arg(path);
        Ok(command)
    }

    /// The nodes that the engine has.
    pub(super) fn nodes(&self) -> String {
        let nodes = self.kind.run(&["get", "nodes", "--all-clusters"]);
        nodes.stdout.trim().to_owned()
    }

    /// Removes the cluster; none is no failure.
    pub(super) fn delete(&self) {
        self.kind.run(&["delete", "cluster", "--name", CLUSTER]);
    }
}
