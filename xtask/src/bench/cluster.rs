//! Clusters of the contest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::contestant::Contestant;
use super::phases::{self, Times};
use crate::Failure;

/// The name of every cluster.
const CLUSTER: &str = "bench";

/// The container or node that every cluster has.
pub(super) const CONTROL_PLANE: &str = "bench-control-plane";

/// The configuration up to the nodes. Kubelets from 1.35 on refuse hosts with cgroup v1 unless they are told not to,
/// which the original kind leaves to its users; older ones only warn of a field that they do not know.
const HEAD: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  failCgroupV1: false
nodes:
";

/// Nodes of a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    pub(super) control_planes: usize,
    pub(super) workers: usize,
    /// A port of the host that leads to this one of the first node.
    pub(super) port: Option<(u16, u16)>,
}

impl Nodes {
    /// One control plane and workers.
    pub(super) const fn with_workers(workers: usize) -> Self {
        Self {
            control_planes: 1,
            workers,
            port: None,
        }
    }

    /// Writes the configuration to a directory.
    fn write_config(self, directory: &Path) -> Result<PathBuf, Failure> {
        let mut text = HEAD.to_owned();
        for index in 0..self.control_planes {
            text += "- role: control-plane\n";
            if let Some((host, node)) = self.port.filter(|_| index == 0) {
                text += &format!(
                    "  extraPortMappings:\n  - containerPort: {node}\n    hostPort: {host}\n"
                );
            }
        }
        text += &"- role: worker\n".repeat(self.workers);
        let path = directory.join("cluster.yaml");
        fs::write(&path, text)?;
        Ok(path)
    }
}

/// Where clusters come from.
pub(super) struct Source<'a> {
    pub(super) image: &'a str,
    pub(super) directory: &'a Path,
}

impl Source<'_> {
    /// Makes a cluster; with `waits` it is waited for.
    pub(super) fn create(
        &self,
        contestant: &Contestant,
        nodes: Nodes,
        waits: bool,
    ) -> Result<Times, Failure> {
        let mut arguments = vec!["create", "cluster", "--name", CLUSTER];
        if waits {
            arguments.extend(["--wait", "3m"]);
        }
        let mut command: Command = contestant.kind.command(&arguments);
        command.args(["--image", self.image, "--config"]);
        command.arg(nodes.write_config(self.directory)?);
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().ok_or("no stderr")?;
        let lines = phases::watch(stderr, began);
        let status = child.wait()?;
        let total = began.elapsed();
        if status.success() {
            return Ok(phases::times(&lines, total));
        }
        let text: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
        Err(format!("create failed:\n{}", text.join("\n")).into())
    }
}

/// Removes the cluster, and says how long that took.
pub(super) fn delete(contestant: &Contestant) -> Result<Duration, Failure> {
    timed(contestant, &["delete", "cluster", "--name", CLUSTER])
}

/// Runs a command on the cluster, and says how long it took.
pub(super) fn timed(contestant: &Contestant, arguments: &[&str]) -> Result<Duration, Failure> {
    let began = Instant::now();
    let answer = contestant.kind.run(arguments);
    let took = began.elapsed();
    if answer.code == 0 {
        return Ok(took);
    }
    Err(format!("`kind {}` failed:\n{}", arguments.join(" "), answer.stderr).into())
}
