//! The arguments with which a node is made: those of kind's `provision.go` for each engine, and what our nodes
//! need beside.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::agent::{LABEL, NODE_AGENT_PATH};
use super::{Flavor, images, seed};
use crate::{HostConfig, Info, NodeSpec, Purpose};

/// Handed through from the caller's environment whatever its value.
const SNAPSHOTTER: &str = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER";
/// Where a node sees the `/var` that it shares; `kind-node seed` looks there.
const SHARED_VAR: &str = "/.kind-shared-var";
/// Storage whose devices the kubelet looks for.
const DEVICE_DRIVERS: [&str; 3] = ["btrfs", "zfs", "devicemapper"];
const DEVICE_FILESYSTEMS: [&str; 3] = ["btrfs", "zfs", "xfs"];

/// What was found out about a node before it is made.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Name of the volume for `/var`, where the engine needs one made before.
    pub(super) volume: Option<String>,
    /// Name of the volume with the `/var` that it shares with others of its image.
    pub(super) shared_image_store: Option<String>,
    /// The image's own program and arguments, where files are laid in the node first.
    pub(super) seeded_command: Option<Vec<String>>,
    /// The node agent as a file of the caller's host, where every start puts it into the node.
    pub(super) agent: Option<PathBuf>,
    /// The host has no directory of kernel modules, and the engine may make none.
    pub(super) lacks_modules: bool,
    /// Values of `--publish`.
    pub(super) ports: Vec<String>,
    /// Its addresses for life, as far as it has any.
    pub(super) ipv4: Option<Ipv4Addr>,
    pub(super) ipv6: Option<Ipv6Addr>,
}

/// The arguments after the program's name.
pub(super) fn create_arguments(
    flavor: Flavor,
    info: &Info,
    node: &NodeSpec,
    surroundings: &Surroundings,
) -> Vec<String> {
    let mut arguments = Arguments(vec!["create".to_owned()]);
    arguments.pair("--name", &node.name);
    arguments.pair("--hostname", &node.name);
    for (key, value) in &node.labels {
        arguments.pair("--label", &format!("{key}={value}"));
    }
    if let Some(file) = &surroundings.agent {
        arguments.pair("--label", &format!("{LABEL}={}", file.display()));
    }
    if node.purpose == Purpose::Kubernetes {
        arguments.kubernetes(flavor, node, surroundings);
    }
    arguments.one("--tty");
    arguments.pair("--net", &node.network);
    arguments.container(flavor, info, node);
    if let Some(address) = surroundings.ipv4 {
        arguments.pair("--ip", &address.to_string());
    }
    if let Some(address) = surroundings.ipv6 {
        arguments.pair("--ip6", &address.to_string());
    }
    for (name, value) in &node.env {
        arguments.pair("-e", &format!("{name}={value}"));
    }
    // What ports are published at is found out before.
    let HostConfig {
        mounts,
        ports: _,
        resources,
    } = &node.host;
    if let Some(cpus) = resources.cpus() {
        arguments.pair("--cpus", &cpus);
    }
    if let Some(bytes) = resources.memory_bytes {
        arguments.pair("--memory", &bytes.to_string());
        // With swap together: engines would let it have as much again.
        arguments.pair("--memory-swap", &bytes.to_string());
    }
    for mount in mounts {
        arguments.one(&format!("--volume={mount}"));
    }
    for port in &surroundings.ports {
        arguments.one(&format!("--publish={port}"));
    }
    arguments.image(flavor, node, surroundings.seeded_command.as_deref());
    arguments.0
}

struct Arguments(Vec<String>);

impl Arguments {
    fn one(&mut self, argument: &str) {
        self.0.push(argument.to_owned());
    }

    fn pair(&mut self, name: &str, value: &str) {
        self.one(name);
        self.one(value);
    }

    /// What a machine with systemd, a kubelet and containers of its own needs.
    fn kubernetes(&mut self, flavor: Flavor, node: &NodeSpec, surroundings: &Surroundings) {
        self.one("--privileged");
        if flavor != Flavor::Podman {
            // Privileged containers have neither already; not every version of the engines knows.
            self.pair("--security-opt", "seccomp=unconfined");
            self.pair("--security-opt", "apparmor=unconfined");
        }
        self.pair("--tmpfs", "/tmp");
        self.pair("--tmpfs", "/run");
        self.var(surroundings);
        if !surroundings.lacks_modules {
            self.pair("--volume", "/lib/modules:/lib/modules:ro");
        }
        if !node.env.contains_key(SNAPSHOTTER) {
            self.pair("-e", SNAPSHOTTER);
        }
    }

    /// A `/var` of the node's own: a copy of the image's, or empty where the node fills it itself.
    fn var(&mut self, surroundings: &Surroundings) {
        let shared = surroundings.shared_image_store.as_deref();
        match (&surroundings.volume, shared) {
            (Some(volume), None) => self.pair("--volume", &format!("{volume}:/var:suid,exec,dev")),
            (Some(volume), Some(_)) => {
                self.pair("--volume", &format!("{volume}:/var:suid,exec,dev,nocopy"));
            }
            (None, None) => self.pair("--volume", "/var"),
            (None, Some(_)) => self.pair("--mount", "type=volume,destination=/var,volume-nocopy"),
        }
        if let Some(shared) = shared {
            self.pair("--volume", &format!("{shared}:{SHARED_VAR}:ro"));
        }
    }

    /// What every container of a cluster has.
    fn container(&mut self, flavor: Flavor, info: &Info, node: &NodeSpec) {
        match flavor {
            Flavor::Podman => self.pair("-e", "container=podman"),
            Flavor::Docker | Flavor::Nerdctl => {
                // It comes back with the daemon, and does not loop when it crashes.
                self.one("--restart=on-failure:1");
                // The first process is the image's own, whatever the daemon's default.
                self.one("--init=false");
            }
        }
        if flavor != Flavor::Nerdctl {
            self.one("--cgroupns=private");
        }
        if node.ipv6 {
            self.one("--sysctl=net.ipv6.conf.all.disable_ipv6=0");
            self.one("--sysctl=net.ipv6.conf.all.forwarding=1");
        }
        if info.user_namespaces {
            self.one("--userns=host");
        }
        if needs_device_mapper(flavor, info) {
            self.pair("--volume", "/dev/mapper:/dev/mapper");
        }
        if info.rootless {
            self.pair("--device", "/dev/fuse");
        }
    }

    fn image(&mut self, flavor: Flavor, node: &NodeSpec, seeded: Option<&[String]>) {
        let image = images::image_name(flavor, &node.image);
        if let Some(command) = seeded {
            self.pair("--entrypoint", NODE_AGENT_PATH);
            self.one(&image);
            self.pair(seed::COMMAND, "--");
            self.0.extend(command.iter().cloned());
            return;
        }
        match node.command.as_deref() {
            Some([program, arguments @ ..]) => {
                self.pair("--entrypoint", program);
                self.one(&image);
                self.0.extend(arguments.iter().cloned());
            }
            _ => self.one(&image),
        }
    }
}

fn needs_device_mapper(flavor: Flavor, info: &Info) -> bool {
    let device = DEVICE_DRIVERS.contains(&info.storage_driver.as_str())
        || DEVICE_FILESYSTEMS.contains(&info.backing_filesystem.as_str());
    match flavor {
        Flavor::Docker => device && !info.rootless,
        Flavor::Podman => device,
        Flavor::Nerdctl => false,
    }
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
