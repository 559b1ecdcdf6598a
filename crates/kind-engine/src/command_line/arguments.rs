//! The arguments with which a node is made: those of kind's `provision.go` for each engine, and what our nodes
//! need beside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::agent::{LABEL, NODE_AGENT_PATH};
use super::environment::variable_arguments;
use super::{Flavor, images, seed};
use crate::{HostConfig, Info, NodeSpec, Purpose};

/// Handed through from the caller's environment whatever its value.
const SNAPSHOTTER: &str = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER";
/// Where a node sees the `/var` that it shares; `kind-node seed` looks there.
const SHARED_IMAGE_STORE: &str = "/.kind-shared-var";
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
    /// Names and addresses of other nodes, where the network does not tell them.
    pub(super) hosts: Vec<(String, IpAddr)>,
}

/// The arguments after the program's name.
pub(super) fn create_arguments(
    flavor: Flavor,
    info: &Info,
    node: &NodeSpec,
    surroundings: &Surroundings,
) -> Vec<String> {
    let mut arguments = Arguments(vec!["create".to_owned()]);
    arguments.add_option("--name", &node.name);
    arguments.add_option("--hostname", &node.name);
    for (key, value) in &node.labels {
        arguments.add_option("--label", &format!("{key}={value}"));
    }
    if let Some(file) = &surroundings.agent {
        arguments.add_option("--label", &format!("{LABEL}={}", file.display()));
    }
    if node.purpose == Purpose::Kubernetes {
        arguments.add_kubernetes_options(flavor, node, surroundings);
    }
    arguments.add_argument("--tty");
    arguments.add_option("--net", &node.network);
    arguments.add_container_options(flavor, info, node);
    if let Some(address) = surroundings.ipv4 {
        arguments.add_option("--ip", &address.to_string());
    }
    if let Some(address) = surroundings.ipv6 {
        arguments.add_option("--ip6", &address.to_string());
    }
    for (name, address) in &surroundings.hosts {
        arguments.add_option("--add-host", &format!("{name}:{address}"));
    }
    arguments.0.extend(variable_arguments(&node.env));
    // What ports are published at is found out before.
    let HostConfig {
        mounts,
        ports: _,
        resources,
    } = &node.host;
    if let Some(cpus) = resources.cpus() {
        arguments.add_option("--cpus", &cpus);
    }
    if let Some(bytes) = resources.memory_bytes {
        arguments.add_option("--memory", &bytes.to_string());
        // With swap together: engines would let it have as much again.
        arguments.add_option("--memory-swap", &bytes.to_string());
    }
    for mount in mounts {
        arguments.add_argument(&format!("--volume={mount}"));
    }
    for port in &surroundings.ports {
        arguments.add_argument(&format!("--publish={port}"));
    }
    arguments.add_image(flavor, node, surroundings.seeded_command.as_deref());
    arguments.0
}

struct Arguments(Vec<String>);

impl Arguments {
    fn add_argument(&mut self, argument: &str) {
        self.0.push(argument.to_owned());
    }

    fn add_option(&mut self, name: &str, value: &str) {
        self.add_argument(name);
        self.add_argument(value);
    }

    /// What a machine with systemd, a kubelet and containers of its own needs.
    fn add_kubernetes_options(
        &mut self,
        flavor: Flavor,
        node: &NodeSpec,
        surroundings: &Surroundings,
    ) {
        self.add_argument("--privileged");
        if flavor != Flavor::Podman {
            // Privileged containers have neither already; not every version of the engines knows.
            self.add_option("--security-opt", "seccomp=unconfined");
            self.add_option("--security-opt", "apparmor=unconfined");
        }
        self.add_option("--tmpfs", "/tmp");
        self.add_option("--tmpfs", "/run");
        self.add_var_mount(surroundings);
        if !surroundings.lacks_modules {
            self.add_option("--volume", "/lib/modules:/lib/modules:ro");
        }
        if !node.env.contains_key(SNAPSHOTTER) {
            self.add_option("-e", SNAPSHOTTER);
        }
    }

    /// A `/var` of the node's own: a copy of the image's, or empty where the node fills it itself.
    fn add_var_mount(&mut self, surroundings: &Surroundings) {
        let shared = surroundings.shared_image_store.as_deref();
        match (&surroundings.volume, shared) {
            (Some(volume), None) => {
                self.add_option("--volume", &format!("{volume}:/var:suid,exec,dev"))
            }
            (Some(volume), Some(_)) => {
                self.add_option("--volume", &format!("{volume}:/var:suid,exec,dev,nocopy"));
            }
            (None, None) => self.add_option("--volume", "/var"),
            (None, Some(_)) => {
                self.add_option("--mount", "type=volume,destination=/var,volume-nocopy")
            }
        }
        if let Some(shared) = shared {
            self.add_option("--volume", &format!("{shared}:{SHARED_IMAGE_STORE}:ro"));
        }
    }

    /// What every container of a cluster has.
    fn add_container_options(&mut self, flavor: Flavor, info: &Info, node: &NodeSpec) {
        match flavor {
            Flavor::Podman => self.add_option("-e", "container=podman"),
            Flavor::Docker | Flavor::Nerdctl => {
                // It comes back with the daemon, and does not loop when it crashes.
                self.add_argument("--restart=on-failure:1");
                // The first process is the image's own, whatever the daemon's default.
                self.add_argument("--init=false");
            }
        }
        if flavor != Flavor::Nerdctl {
            self.add_argument("--cgroupns=private");
        }
        if node.ipv6 {
            self.add_argument("--sysctl=net.ipv6.conf.all.disable_ipv6=0");
            self.add_argument("--sysctl=net.ipv6.conf.all.forwarding=1");
        }
        if info.user_namespaces {
            self.add_argument("--userns=host");
        }
        if needs_device_mapper(flavor, info) {
            self.add_option("--volume", "/dev/mapper:/dev/mapper");
        }
        if info.rootless {
            self.add_option("--device", "/dev/fuse");
        }
    }

    fn add_image(&mut self, flavor: Flavor, node: &NodeSpec, seeded: Option<&[String]>) {
        let image = images::image_name(flavor, &node.image);
        if let Some(command) = seeded {
            self.add_option("--entrypoint", NODE_AGENT_PATH);
            self.add_argument(&image);
            self.add_option(seed::COMMAND, "--");
            self.0.extend(command.iter().cloned());
            return;
        }
        match node.command.as_deref() {
            Some([program, arguments @ ..]) => {
                self.add_option("--entrypoint", program);
                self.add_argument(&image);
                self.0.extend(arguments.iter().cloned());
            }
            _ => self.add_argument(&image),
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
