//! The cluster that the tests run on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use kind_e2e::{Engine, Kind};
use kind_image::archive::Archive;
use kind_image::oci::Platform;
use kind_image::store::Store;

use crate::Failure;
use crate::node_image::IMAGE;
use crate::shell::{output, run, say};

const NAME: &str = "conformance";

/// The tests want two nodes for their pods, and images that can be pulled.
fn config(registry: &str) -> String {
    format!(
        "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1beta1
registries:
- host: _default
  mirrors:
  - url: {registry}
nodes:
- role: control-plane
- role: worker
- role: worker
"
    )
}

/// A cluster of three nodes that goes with this value.
pub(super) struct Cluster {
    kind: Kind,
}

impl Cluster {
    /// The native engine's directory of a cluster that is made in this one.
    pub(super) fn state(directory: &Path) -> PathBuf {
        directory.join("state")
    }

    /// Makes it of the node image in an archive, or of the one that was built into the native engine's store. Its nodes
    /// ask the registry of that URL first. What an earlier run that was killed has left there goes before.
    pub(super) fn create(
        engine: Engine,
        kind: PathBuf,
        directory: &Path,
        node_image: Option<&Path>,
        registry: &str,
    ) -> Result<Self, Failure> {
        let cluster = Self {
            kind: Kind::new(kind, directory, Arc::new(engine)),
        };
        cluster.delete()?;
        let image = match node_image {
            Some(archive) if cluster.kind.is_native() => cluster.store(archive)?,
            Some(archive) => name_in(archive, directory)?,
            None => IMAGE.to_owned(),
        };
        let config = directory.join("cluster.yaml");
        fs::write(&config, self::config(registry))?;
        let create = ["create", "cluster", "--name", NAME, "--wait", "5m"];
        let mut command = cluster.kind.command(&create);
        run(command.args(["--image", &image, "--config"]).arg(config))?;
        Ok(cluster)
    }

    /// Puts the image into the native engine's store and says what it is called.
    fn store(&self, archive: &Path) -> Result<String, Failure> {
        let store = Store::open(&self.kind.state().join("images"))?;
        let images = kind_image::archive::read(&store, File::open(archive)?)?;
        let names = images.iter().flat_map(|image| image.references());
        let name = names.last().ok_or("the node image has no name")?;
        Ok(name.to_string())
    }

    /// Where its kubeconfig is.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.kind.kubeconfig()
    }

    /// The names of the images that its nodes have.
    pub(super) fn images(&self) -> Result<BTreeSet<String>, Failure> {
        let path = "jsonpath={.items[*].status.images[*].names[*]}";
        let names = output(&mut self.kind.kubectl(&["get", "nodes", "--output", path]))?;
        Ok(names.split_whitespace().map(str::to_owned).collect())
    }

    /// Brings an archive of images to all nodes.
    pub(super) fn load(&self, archive: &Path) -> Result<(), Failure> {
        let load = ["load", "image-archive", "--name", NAME];
        run(self.kind.command(&load).arg(archive))
    }

    /// Writes what its nodes have to tell.
    pub(super) fn export_logs(&self, directory: &Path) {
        let mut command: Command = self.kind.command(&["export", "logs", "--name", NAME]);
        if let Err(failure) = run(command.arg(directory).stdout(Stdio::null())) {
            say(&failure.to_string());
        }
    }

    fn delete(&self) -> Result<(), Failure> {
        let delete = ["delete", "cluster", "--name", NAME];
        run(&mut self.kind.command(&delete))
    }
}

/// What the image in an archive is called, which an engine has loaded.
fn name_in(archive: &Path, spool: &Path) -> Result<String, Failure> {
    let images = Archive::open_file(archive, spool)?.images(&Platform::of_host())?;
    let names = images.iter().flat_map(|image| image.names());
    Ok(names
        .last()
        .ok_or("the node image has no name")?
        .to_string())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(failure) = self.delete() {
            say(&failure.to_string());
        }
    }
}
