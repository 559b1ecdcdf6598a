//! The one node of a cluster, from outside.

use std::fs;
use std::path::PathBuf;

use super::ground::{CLUSTER, Ground};
use crate::Failure;

impl Ground {
    /// The node's name.
    pub(super) fn node(&self) -> String {
        format!("{CLUSTER}-control-plane")
    }

    /// Where the files of the node are that runs.
    pub(super) fn node_root(&self) -> Result<PathBuf, Failure> {
        Ok(self.node_proc()?.join("root"))
    }

    /// What the kernel tells of the node's first process.
    pub(super) fn node_proc(&self) -> Result<PathBuf, Failure> {
        let pid = if self.engine.is_native() {
            self.native_pid()?
        } else {
            self.engine_pid()?
        };
        Ok(PathBuf::from(format!("/proc/{pid}")))
    }

    fn native_pid(&self) -> Result<u64, Failure> {
        let path = self
            .kind
            .state()
            .join("nodes")
            .join(self.node())
            .join("run.json");
        let run: serde_json::Value = serde_json::from_slice(&fs::read(path)?)?;
        Ok(run["pid"]
            .as_u64()
            .ok_or("a node that runs has a process")?)
    }

    fn engine_pid(&self) -> Result<u64, Failure> {
        let inspect = ["inspect", "--format", "{{.State.Pid}}", &self.node()];
        Ok(self.engine.client(&inspect).stdout.trim().parse()?)
    }
}
