//! What the tests share: one command, one host, one cluster.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use kind_e2e::{Answer, Kind, Traces, eventually};

use crate::faults::VICTIM;

/// Name of the node of the cluster that the tests share.
pub(crate) const NODE: &str = "e2e-control-plane";

/// What the tests share.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) sample: PathBuf,
    pub(crate) directory: tempfile::TempDir,
    /// The host before the first cluster.
    before: Traces,
    /// Port of the host that leads to the sample app.
    pub(crate) port: u16,
}

impl World {
    pub(crate) fn from_environment() -> Option<Self> {
        let kind = PathBuf::from(std::env::var_os("KIND_BINARY")?);
        let sample = PathBuf::from(std::env::var_os("KIND_SAMPLE_IMAGE")?);
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Some(Self {
            kind: Kind::new(kind, directory.path()),
            sample,
            before: Traces::of_host(),
            directory,
            port,
        })
    }

    pub(crate) fn config(&self) -> PathBuf {
        let path = self.directory.path().join("cluster.yaml");
        let text = format!(
            "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: e2e\nnodes:\n- role: control-plane\n  \
             extraPortMappings:\n  - containerPort: 30080\n    hostPort: {}\n    listenAddress: 127.0.0.1\n",
            self.port
        );
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn create(&self) -> Answer {
        let config = self.config();
        let config = config.to_str().unwrap();
        self.kind.run(&[
            "create", "cluster", "--from", "debian", "--wait", "2m", "--config", config,
        ])
    }

    /// Whatever happened, no cluster stays, and nothing that one made.
    pub(crate) fn end(&self) {
        for name in ["e2e", VICTIM] {
            self.kind
                .run(&["delete", "cluster", "--name", name])
                .expect("delete cluster");
        }
        self.nothing_is_left();
    }

    pub(crate) fn nothing_is_left(&self) {
        // The kernel takes a moment to end the namespaces of dead processes.
        eventually("the host is as before", 10, || {
            let left = Traces::of_host();
            match left.since(&self.before).as_slice() {
                [] => Ok(()),
                left => Err(left.join("\n")),
            }
        });
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
