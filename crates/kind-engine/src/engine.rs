//! The engine trait: what a cluster needs from the thing its nodes run on.
//!
//! Words here are a cluster's (node, network, image), never one engine's flags, so that everything
//! above works with every engine.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kind_config::{Propagation, Protocol, ResourceLimits};
use kind_image::ProgressSink;

use crate::{Agent, Error, InUse, Leftover, Pruning};

/// Label that names a node's cluster.
pub const CLUSTER_LABEL: &str = "io.x-k8s.kind.cluster";
/// Label that names a node's role.
pub const ROLE_LABEL: &str = "io.x-k8s.kind.role";

/// What has an administrator hand the controllers of the unified cgroup hierarchy to users.
pub const DELEGATE: &str = "`sudo mkdir -p /etc/systemd/system/user@.service.d && printf \
     '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf \
     && sudo systemctl daemon-reload`, then log out and in again, not by su or sudo (where a session has no \
     scope of its own: `systemd-run --scope --user -p Delegate=yes kind create cluster`)";

/// What nobody outside can implement.
pub(crate) mod sealed {
    /// Keeps [`super::Engine`] ours to extend without breaking anyone.
    pub trait Sealed {}
}

/// An engine, whichever program reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// This kernel, without any container engine.
    Native,
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// containerd through nerdctl and what speaks its language.
    Nerdctl,
}

impl EngineKind {
    /// kind's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
        }
    }
}

/// Where nodes run.
///
/// # What a node needs before it starts
///
/// In this order, and by whichever process or value of this type:
///
/// 1. its network ([`Engine::ensure_network`]) and its image ([`Engine::image`], [`Engine::pull`]);
/// 2. the node itself ([`Engine::create`]), with the node agent, if its [`NodeSpec`] names one;
/// 3. its files ([`Engine::copy_in`]), any number of times. Where [`Network::lasting_addresses`] is false its
///    addresses are not known before it runs, and its files come after the start;
/// 4. the start ([`Engine::start`]), and before any command in it [`Engine::wait_until_booted`].
///
/// What one step leaves for the next is in the node: its record, its labels, its files. A value of this type
/// remembers answers of the engine, so as not to ask again, and which addresses it has given to nodes that are
/// being made; nothing that a node needs is known to it alone.
pub trait Engine: sealed::Sealed + Send + Sync {
    /// Which engine it is.
    fn kind(&self) -> EngineKind;

    /// The engine's name as it stands in a node's `provider-id`, for example `native`. It is for people and for
    /// labels; whoever has to tell engines apart asks for their [`kind`](Engine::kind).
    fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// What the engine can do on this host. Cheap after the first call.
    fn info(&self) -> Result<Info, Error>;

    /// Looks at what the host must have for so many nodes that publish these ports, as far as that can be seen
    /// without making anything. Returns what the user should know; what keeps nodes from running is an error that
    /// names all of it.
    fn preflight(&self, nodes: usize, ports: &[Port]) -> Result<Vec<String>, Error> {
        let _ = (nodes, ports);
        Ok(Vec::new())
    }

    /// What the engine tells people about itself.
    fn describe(&self) -> Result<String, Error>;

    /// Proxies that the engine's own client is set to give to containers, by the names of their variables.
    /// `environment` tells where its settings are.
    fn proxies(&self, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let _ = environment;
        BTreeMap::new()
    }

    /// Makes the network unless it exists; safe to call from several processes at once.
    fn ensure_network(&self, network: &NetworkSpec) -> Result<Network, Error>;

    /// The image of that reference if it is present locally.
    fn image(&self, reference: &str) -> Result<Option<ImageInfo>, Error>;

    /// Names of the images that are present locally, sorted.
    fn images(&self) -> Result<Vec<String>, Error>;

    /// Brings an image from its registry, and tells how far it has come where the engine knows.
    fn pull(&self, reference: &str, progress: ProgressSink<'_>) -> Result<(), Error>;

    /// Packs images as `docker save` does it: one tar stream with everything that they are made of.
    /// `platform` (for example `linux/amd64`) leaves out what other machines need, where the engine can.
    fn save(
        &self,
        references: &[String],
        platform: Option<&str>,
        archive: &mut (dyn Write + Send),
    ) -> Result<(), Error>;

    /// Takes the images of an archive into the engine's own store, under the names it has for them.
    fn load(&self, archive: &mut (dyn Read + Send)) -> Result<(), Error>;

    /// Makes a node (its address, its directories, its record) without starting it. The node is complete: another
    /// process, or another value of this type, may start it.
    ///
    /// Whatever is copied into it before its first start ([`Engine::copy_in`]) is there when its first process
    /// runs, whatever volume or host path covers the place. An engine that copies nothing into nodes that do not
    /// run (nerdctl) refuses to; it gives networks without lasting addresses, so that files come after the start.
    fn create(&self, node: &NodeSpec) -> Result<(), Error>;

    /// Boots a created or stopped node; returns as soon as its first process runs.
    fn start(&self, node: &str) -> Result<(), Error>;

    /// Waits until commands may run in a node that was just started: on the unified cgroup hierarchy
    /// a command that comes before the init system has sorted its processes breaks the node.
    /// Not for load balancers. Returns at once where the engine keeps commands apart.
    fn wait_until_booted(&self, node: &str, boot: Boot, limit: Duration) -> Result<(), Error>;

    /// Asks a node to shut down, and ends it after `grace`.
    fn stop(&self, node: &str, grace: Duration) -> Result<(), Error>;

    /// Removes nodes in whatever state they are, with everything that belongs to them.
    /// Nodes that do not exist are no error, and what creations that were cut short have left goes too, where it can
    /// be told. Goes on after a failure and reports all at the end.
    fn remove(&self, nodes: &[String]) -> Result<(), Error>;

    /// The nodes of one cluster, or of all clusters with `None`; stopped ones too, newest first.
    fn list(&self, cluster: Option<&str>) -> Result<Vec<Node>, Error>;

    /// Everything that the engine knows about a node, as a JSON document of its own form.
    fn inspect(&self, node: &str) -> Result<String, Error>;

    /// Runs a command in a running node and returns its exit code.
    fn exec(&self, node: &str, command: &Command, io: Io<'_>) -> Result<i32, Error>;

    /// Unpacks a tar stream below `directory` of a node that is created, running or stopped. In a running node the
    /// files are there at once; in others when the node's first process runs the next time, and they may not be
    /// seen by [`Engine::copy_out`] before. What was copied last counts.
    fn copy_in(
        &self,
        node: &str,
        directory: &Path,
        tar: &mut (dyn Read + Send),
    ) -> Result<(), Error>;

    /// Packs `path` of a node that is created, running or stopped as a tar stream. The first entry
    /// is `path` itself under its base name, as `docker cp` does it.
    fn copy_out(&self, node: &str, path: &Path, tar: &mut (dyn Write + Send)) -> Result<(), Error>;

    /// Writes what the node's first process printed; with `follow`, until the node ends.
    fn logs(&self, node: &str, follow: bool, out: &mut (dyn Write + Send)) -> Result<(), Error>;

    /// What the engine keeps for nodes to come and no node of now uses, and removes it if that is asked
    /// for.
    fn prune(&self, pruning: Pruning) -> Result<Vec<Leftover>, Error>;

    /// What is in the way of networks of nodes now, as far as that can be seen without making anything.
    fn find_network_problems(&self) -> Vec<Error> {
        Vec::new()
    }

    /// What crashes have left on the host that belongs to no node, each thing in words, and removes it if that is
    /// asked for.
    fn prune_orphans(&self, pruning: Pruning) -> Result<Vec<String>, Error> {
        let _ = pruning;
        Ok(Vec::new())
    }

    /// The host's files that nodes use; `None` if that cannot be told.
    fn in_use(&self) -> Result<Option<InUse>, Error>;
}

/// What an engine can do on its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// Nodes run without root on the host.
    pub rootless: bool,
    /// The host has the unified cgroup hierarchy only.
    pub cgroup2: bool,
    /// What of a node's use of the host can be limited.
    pub limits: Limits,
    /// The engine's own version.
    pub version: String,
    /// Name of its host; empty if unknown.
    pub hostname: String,
    /// Machine architecture of its host as images name it, for example `amd64`; empty if unknown.
    pub architecture: String,
    /// How it stores the files of nodes, for example `overlay2`.
    pub storage_driver: String,
    /// Filesystem below that, where the engine tells.
    pub backing_filesystem: String,
    /// Directory of its host where it keeps all that; empty if unknown.
    pub storage_dir: String,
    /// Images are kept by containerd: an image may hold manifests whose content is not here.
    pub containerd_images: bool,
    /// Nodes would run in a user namespace unless told otherwise.
    pub user_namespaces: bool,
    /// Several nodes may be made at once.
    pub parallel_creates: bool,
    /// What the user should know before nodes are made.
    pub warnings: Vec<String>,
}

impl Info {
    /// Whether the engine runs on the host of that name. One that names none is on another, as far as that is known.
    pub fn is_on(&self, hostname: &str) -> bool {
        !self.hostname.is_empty() && self.hostname == hostname
    }
}

/// The name of this host, as engines on it tell theirs.
pub fn own_hostname() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

/// What of a node's use of the host can be limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory.
    pub memory: bool,
    /// Number of processes.
    pub pids: bool,
    /// Share of the processors.
    pub cpu: bool,
}

impl Limits {
    /// Everything can be limited.
    pub const ALL: Self = Self {
        memory: true,
        pids: true,
        cpu: true,
    };

    /// Whether nothing is missing.
    pub fn are_complete(self) -> bool {
        self == Self::ALL
    }
}

/// A network to make.
#[derive(Debug, Clone, Default)]
pub struct NetworkSpec {
    /// Name, `kind` by default.
    pub name: String,
}

/// A network that exists.
#[derive(Debug, Clone)]
pub struct Network {
    /// Name.
    pub name: String,
    /// Subnets in CIDR form, IPv4 first.
    pub subnets: Vec<String>,
    /// Nodes on it keep their addresses for life, and [`Engine::list`] tells them before the first
    /// start. Otherwise a node has its addresses while it runs.
    pub lasting_addresses: bool,
    /// What the user should know of it.
    pub warnings: Vec<String>,
}

/// An image that is present.
#[derive(Debug, Clone)]
pub struct ImageInfo {
    /// Image id (digest of its config).
    pub id: String,
    /// Labels of the image's config.
    pub labels: BTreeMap<String, String>,
}

/// A node to make.
#[derive(Debug, Clone, Default)]
pub struct NodeSpec {
    /// Container name and host name.
    pub name: String,
    /// Image reference.
    pub image: String,
    /// Labels, among them [`CLUSTER_LABEL`] and [`ROLE_LABEL`].
    pub labels: BTreeMap<String, String>,
    /// Name of a network that exists.
    pub network: String,
    /// Names of all nodes of its cluster, which it finds by them.
    pub peers: Vec<String>,
    /// Environment of the first process, beside the image's own.
    pub env: BTreeMap<String, String>,
    /// What it has of the host.
    pub host: HostConfig,
    /// IPv6 is wanted inside the node (addresses and forwarding).
    pub ipv6: bool,
    /// The program to show read-only at `/kind/bin/kind-node`.
    pub node_agent: Option<Agent>,
    /// What the node is for.
    pub purpose: Purpose,
    /// Program and arguments of the first process instead of the image's own.
    pub command: Option<Vec<String>>,
}

/// What a node is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Purpose {
    /// It runs Kubernetes: privileged, with a `/var` of its own.
    #[default]
    Kubernetes,
    /// It leads connections to the control planes, and needs no privileges.
    LoadBalancer,
}

/// Which of its boots a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    /// The first one: all of its console is of this boot.
    First,
    /// One that may have others before it, whose last words its console still has.
    Later,
}

/// What a node has of its host: planned, handed to an engine and kept in records as it is, so that whatever is
/// added here reaches every node. Printing it gives a line for each thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostConfig {
    /// Host directories and files to show in the node.
    pub mounts: Vec<HostMount>,
    /// Ports to publish on the host; host port 0 is chosen by the engine.
    pub ports: Vec<Port>,
    /// How much of it the node may use.
    #[serde(default)]
    pub resources: ResourceLimits,
}

impl fmt::Display for HostConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            mounts,
            ports,
            resources,
        } = self;
        for mount in mounts {
            writeln!(f, "  mount {mount}")?;
        }
        for port in ports {
            writeln!(f, "  port {port}")?;
        }
        if let Some(cpus) = resources.cpus() {
            writeln!(f, "  cpus {cpus}")?;
        }
        if let Some(bytes) = resources.memory_bytes {
            writeln!(f, "  memory {bytes} bytes")?;
        }
        Ok(())
    }
}

/// A host path shown in a node. Printing it gives it as `--volume` takes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostMount {
    /// Absolute path on the host.
    pub host: PathBuf,
    /// Absolute path in the node.
    pub container: PathBuf,
    /// No writes.
    pub read_only: bool,
    /// Relabel for SELinux.
    pub selinux_relabel: bool,
    /// How mounts made later travel.
    pub propagation: Propagation,
}

impl fmt::Display for HostMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host.display(), self.container.display())?;
        let propagation = match self.propagation {
            Propagation::None => None,
            Propagation::HostToContainer => Some("rslave"),
            Propagation::Bidirectional => Some("rshared"),
        };
        let read_only = self.read_only.then_some("ro");
        let relabel = self.selinux_relabel.then_some("Z");
        let options = [read_only, relabel, propagation].into_iter().flatten();
        match options.collect::<Vec<_>>().join(",").as_str() {
            "" => Ok(()),
            options => write!(f, ":{options}"),
        }
    }
}

/// A port published on the host. Printing it gives for example `127.0.0.1:80:8080/TCP`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Port {
    /// Address to listen on.
    pub listen: IpAddr,
    /// Port on the host; 0 lets the engine choose one that stays for the node's life.
    pub host: u16,
    /// Port in the node.
    pub container: u16,
    /// Transport protocol.
    pub protocol: Protocol,
    /// The engine may choose another host port at each start. Only with host port 0.
    #[serde(default)]
    pub changing: bool,
}

impl Port {
    /// A published port.
    pub fn new(listen: IpAddr, host: u16, container: u16, protocol: Protocol) -> Self {
        Self {
            listen,
            host,
            container,
            protocol,
            changing: false,
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listen = SocketAddr::new(self.listen, self.host);
        write!(f, "{listen}:{}/{}", self.container, self.protocol.as_str())
    }
}

/// A node as the engine knows it.
#[derive(Debug, Clone)]
pub struct Node {
    /// Container name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Image reference it was made from.
    pub image: String,
    /// What it is doing.
    pub state: State,
    /// IPv4 address on its network.
    pub ipv4: Option<Ipv4Addr>,
    /// IPv6 address on its network.
    pub ipv6: Option<Ipv6Addr>,
    /// Published ports with the host's real port numbers.
    pub ports: Vec<Port>,
}

impl Node {
    /// The node's cluster, from its label.
    pub fn cluster(&self) -> &str {
        self.labels.get(CLUSTER_LABEL).map_or("", String::as_str)
    }

    /// The node's role, from its label.
    pub fn role(&self) -> &str {
        self.labels.get(ROLE_LABEL).map_or("", String::as_str)
    }
}

/// What a node is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made, never started.
    Created,
    /// Its first process runs.
    Running,
    /// Its first process has ended, with this code where it is known.
    Exited(Option<i32>),
}

/// A command to run in a node.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Environment beside the node's own.
    pub env: BTreeMap<String, String>,
    /// Give it a terminal (its stderr then joins its stdout).
    pub tty: bool,
}

impl Command {
    /// A command without a terminal and with the node's own environment.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// Streams of a command that runs in a node.
pub struct Io<'a> {
    /// What it reads; `None` is an empty input.
    pub stdin: Option<&'a mut (dyn Read + Send)>,
    /// Where its output goes.
    pub stdout: &'a mut (dyn Write + Send),
    /// Where its errors go.
    pub stderr: &'a mut (dyn Write + Send),
}

impl<'a> Io<'a> {
    /// Streams of a command.
    pub fn new(
        stdin: Option<&'a mut (dyn Read + Send)>,
        stdout: &'a mut (dyn Write + Send),
        stderr: &'a mut (dyn Write + Send),
    ) -> Self {
        Self {
            stdin,
            stdout,
            stderr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_names_no_host_is_on_another() {
        let on = |hostname: &str| Info {
            hostname: hostname.to_owned(),
            ..Info::default()
        };
        assert!(on("lab").is_on("lab"));
        assert!(!on("lab").is_on("other"));
        assert!(!on("").is_on(""));
    }
}
