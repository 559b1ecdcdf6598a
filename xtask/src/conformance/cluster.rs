//! The cluster that the tests run on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use kind_e2e::{Engine, Kind};

use crate::Failure;
use crate::node_image::{IMAGE, name_in_archive, store_archive};
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
            Some(archive) if cluster.kind.is_native() => {
                store_archive(archive, &cluster.kind.state())?
            }
            Some(archive) => name_in_archive(archive, directory)?,
            None => IMAGE.to_owned(),
        };
        let config = directory.join("cluster.yaml");
        fs::write(&config, self::config(registry))?;
        let create = ["create", "cluster", "--name", NAME, "--wait", "5m"];
        let mut command = cluster.kind.command(&create);
        run(command.args(["--image", &image, "--config"]).arg(config))?;
        Ok(cluster)
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

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(failure) = self.delete() {
            say(&failure.to_string());
        }
    }
}
