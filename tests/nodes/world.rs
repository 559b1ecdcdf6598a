//! What the tests share: one command and one cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kind_e2e::{Answer, Engine, Kind, eventually};

/// Name of the cluster.
pub(crate) const CLUSTER: &str = "many";
/// Its nodes, with the load balancer last.
pub(crate) const NODES: [&str; 6] = [
    "many-control-plane",
    "many-control-plane2",
    "many-control-plane3",
    "many-worker",
    "many-worker2",
    "many-worker3",
];
/// Its load balancer.
pub(crate) const BALANCER: &str = "many-external-load-balancer";

const CONFIG: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: many
nodes:
- role: control-plane
- role: control-plane
- role: control-plane
- role: worker
- role: worker
  labels: {tier: second}
  kubeadmConfigPatches:
  - |
    kind: KubeletConfiguration
    maxPods: 77
- role: worker
  kubeadmConfigPatches:
  - |
    kind: JoinConfiguration
    nodeRegistration:
      taints: [{key: own, value: \"yes\", effect: PreferNoSchedule}]
";

/// What the tests share.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) sample: PathBuf,
    directory: tempfile::TempDir,
}

impl World {
    pub(crate) fn from_environment() -> Option<Self> {
        let kind = PathBuf::from(std::env::var_os("KIND_BINARY")?);
        let sample = PathBuf::from(std::env::var_os("KIND_SAMPLE_IMAGE")?);
        let directory = tempfile::tempdir().unwrap();
        let runtime = Path::new(env!("CARGO_BIN_EXE_restricted-runtime"));
        let engine = Engine::start("native", directory.path(), runtime).ok()?;
        Some(Self {
            kind: Kind::new(kind, directory.path(), Arc::new(engine)),
            sample,
            directory,
        })
    }

    pub(crate) fn create(&self) -> Answer {
        let path = self.directory.path().join("cluster.yaml");
        fs::write(&path, CONFIG).unwrap();
        let config = path.to_str().unwrap();
        self.kind.run(&[
            "create", "cluster", "--from", "debian", "--wait", "5m", "--config", config,
        ])
    }

    /// Every node is Ready as the API server sees it, those that are named or all of them.
    pub(crate) fn nodes_become_ready(&self, seconds: u64) {
        eventually("every node is ready", seconds, || {
            let listed = self.kind.ask(&["get", "nodes", "--no-headers"]);
            let ready = |line: &str| line.split_whitespace().nth(1) == Some("Ready");
            let count = listed.stdout.lines().filter(|line| ready(line)).count();
            match listed.code == 0 && count == NODES.len() {
                true => Ok(()),
                false => Err(listed),
            }
        });
    }

    /// Whatever happened, the cluster does not stay.
    pub(crate) fn end(&self) {
        let arguments = ["delete", "cluster", "--name", CLUSTER];
        self.kind.run(&arguments).expect("delete cluster");
    }
}
