//! The engine trait on native nodes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kind_image::ProgressSink;
use kind_image::oci::Platform;
use kind_image::registry::{self, Access};
use kind_image::store::{Image, Store};
use kind_sys::process;

use super::{
    console, exec, files, image_snapshots, orphans, preflight, prune, removal, shared_image_store,
};
use crate::engine::sealed::Sealed;
use crate::native::call::{ExecRequest, Helper, STARTED, Task};
use crate::native::record::{NodeRecord, PATH, VERSION, first_process};
use crate::native::state::{Lock, State, io_error, make_directory};
use crate::native::{hosts, network, ports};
use crate::{
    Agent, Boot, Command, Engine, EngineKind, Error, HostConfig, ImageInfo, InUse, Info, Io,
    Leftover, Network, NetworkSpec, Node, NodeSpec, Port, Pruning, Purpose, State as NodeState,
};

/// How to open the native engine.
#[derive(Debug, Clone)]
pub struct NativeOptions {
    /// Where images, nodes and networks are kept, on a filesystem that overlayfs can write to.
    pub state_dir: PathBuf,
    /// A program that calls [`helper_main`](crate::native::helper_main) first; it is executed for nodes.
    pub helper: PathBuf,
    /// Variables of the environment, by which registries are reached: see [`Access::from_environment`].
    pub environment: BTreeMap<String, String>,
}

/// Nodes on this kernel.
#[derive(Debug)]
pub struct Native {
    state: State,
    store: Store,
    helper: PathBuf,
    access: Access,
}

impl Native {
    /// Opens the engine. What the host must have is checked by [`Engine::info`].
    ///
    /// # Errors
    /// Without root, and if the state directory cannot be made.
    pub fn open_state(options: NativeOptions) -> Result<Self, Error> {
        preflight::require_root()?;
        let state = State::new(options.state_dir);
        state.make_directories()?;
        Ok(Self {
            store: Store::open(&state.images())?,
            state,
            helper: options.helper,
            access: Access::from_environment(&options.environment),
        })
    }

    /// The store of the engine's images.
    pub fn images(&self) -> &Store {
        &self.store
    }

    fn find_image(&self, reference: &str) -> Result<Image, Error> {
        self.store
            .find_image(reference)?
            .ok_or_else(|| Error::NoSuchImage(reference.to_owned()))
    }

    /// Makes everything of a node but its `/var`, with a hold of its image that lasts as long as the node.
    fn register_node(
        &self,
        spec: &NodeSpec,
        image: &Image,
        shared_image_store: Option<PathBuf>,
        lock: &Lock,
    ) -> Result<NodeRecord, Error> {
        if self.state.node(&spec.name).exists() {
            return Err(Error::NodeExists(spec.name.clone()));
        }
        let holder = removal::image_holder(&spec.name);
        // The hold comes first: nothing may remove the layers once the record names them.
        self.store.hold_image(image, &holder)?;
        let made = self.make_node(spec, image, shared_image_store, lock);
        if made.is_err() {
            self.store.release(&holder)?;
        }
        made
    }

    fn make_node(
        &self,
        spec: &NodeSpec,
        image: &Image,
        shared_image_store: Option<PathBuf>,
        lock: &Lock,
    ) -> Result<NodeRecord, Error> {
        let network = network::ensure_network(&self.state, &spec.network, lock)?;
        let (ipv4, ipv6) = network::allocate_addresses(&self.state, &network, lock)?;
        let ports = ports::choose_ports(&spec.host.ports, &NodeRecord::load_all(&self.state)?)?;
        // Nobody removes it from now on, but somebody may have done so.
        let shared_image_store = shared_image_store.filter(|directory| directory.is_dir());
        let record = NodeRecord {
            version: VERSION,
            name: spec.name.clone(),
            image: spec.image.clone(),
            labels: spec.labels.clone(),
            created: unix_seconds(),
            layers: image.layers().to_vec(),
            argv: spec.command.clone().unwrap_or_else(|| node_argv(image)),
            env: node_environment(spec, image),
            network: spec.network.clone(),
            ipv4,
            ipv6,
            ipv6_forwarding: spec.ipv6,
            host: HostConfig {
                ports,
                ..spec.host.clone()
            },
            shared: match &shared_image_store {
                Some(containerd) => image_snapshots::shared_store_snapshots(containerd),
                None => image_snapshots::image_snapshots(image.layers()),
            },
            node_agent: self.install_agent(spec.node_agent.as_ref())?,
            shared_image_store,
            purpose: spec.purpose,
        };
        self.publish_node(&record, lock)?;
        hosts::write_hosts(&self.state, &spec.network, lock)?;
        Ok(record)
    }

    /// The node agent as a file, if there is one. Called with the lock held: nodes are made at once.
    fn install_agent(&self, agent: Option<&Agent>) -> Result<Option<PathBuf>, Error> {
        let directory = self.state.agents();
        let install = |agent: &Agent| {
            let place = agent.place(&directory);
            agent.install(&directory).map_err(io_error("write", &place))
        };
        agent.map(install).transpose()
    }

    /// Makes the node's directory as a whole: after a power cut it is there with its record or not at all.
    fn publish_node(&self, record: &NodeRecord, lock: &Lock) -> Result<(), Error> {
        for mount in &record.host.mounts {
            // A host path that does not exist becomes a directory, as with every engine.
            if !mount.host.exists() {
                make_directory(&mount.host)?;
            }
        }
        let name = format!(".{}", record.name);
        let aside = self.state.place_in_trash(&name, lock);
        let place = self.state.node(&record.name);
        let made = fill_node_directory(&aside, record).and_then(|()| {
            fs::rename(&aside, place.path()).map_err(io_error("make", place.path()))
        });
        if made.is_err() {
            let _ = fs::remove_dir_all(&aside);
        }
        made
    }

    fn fill_var(&self, node: &str) -> Result<(), Error> {
        let mut helper = Helper::new(&self.helper, &self.state, node, Task::FillVar)?;
        helper.command.stdin(Stdio::null()).stdout(Stdio::null());
        process::die_with_parent(&mut helper.command);
        helper.run_helper()?;
        let directory = self.state.node(node);
        fs::rename(directory.file("var.new"), directory.file("var"))
            .map_err(Error::io(format!("make /var of node {node}")))
    }

    fn describe_node(&self, record: NodeRecord) -> Node {
        let directory = self.state.node(&record.name);
        let exit = fs::read_to_string(directory.file("exit")).ok();
        // A monitor that was killed has left its run record.
        let started = exit.is_some() || directory.file("run.json").exists();
        let state = match (directory.is_running(), started) {
            (true, _) => NodeState::Running,
            (false, true) => NodeState::Exited(exit.and_then(|code| code.trim().parse().ok())),
            (false, false) => NodeState::Created,
        };
        Node {
            name: record.name,
            labels: record.labels,
            image: record.image,
            state,
            ipv4: Some(record.ipv4),
            ipv6: record.ipv6,
            ports: record.host.ports,
        }
    }
}

fn fill_node_directory(directory: &Path, record: &NodeRecord) -> Result<(), Error> {
    for part in ["upper", "work", "root"] {
        make_directory(&directory.join(part))?;
    }
    record.save(&State::node_directory_at(directory))
}

impl Sealed for Native {}

impl Engine for Native {
    fn kind(&self) -> EngineKind {
        EngineKind::Native
    }

    fn info(&self) -> Result<Info, Error> {
        preflight::check_host(self.state.root())
    }

    fn preflight(&self, _: usize, published: &[Port]) -> Result<Vec<String>, Error> {
        ports::check_together(published)?;
        Ok(Vec::new())
    }

    fn describe(&self) -> Result<String, Error> {
        let info = self.info()?;
        Ok(format!(
            "State Directory: {}\nCgroup v2: {}\nArchitecture: {}\n",
            self.state.root().display(),
            info.cgroup2,
            info.architecture
        ))
    }

    fn ensure_network(&self, spec: &NetworkSpec) -> Result<Network, Error> {
        let lock = self.state.lock()?;
        let record = network::ensure_network(&self.state, &spec.name, &lock)?;
        Ok(Network {
            subnets: record.subnets().iter().map(ToString::to_string).collect(),
            name: record.name,
            lasting_addresses: true,
            warnings: Vec::new(),
        })
    }

    fn image(&self, reference: &str) -> Result<Option<ImageInfo>, Error> {
        Ok(self.store.find_image(reference)?.map(|image| ImageInfo {
            id: image.id().to_string(),
            labels: image.config().labels.clone().unwrap_or_default(),
        }))
    }

    fn images(&self) -> Result<Vec<String>, Error> {
        let images = self.store.list_images()?;
        let names = images.iter().flat_map(|image| image.references());
        let mut names: Vec<_> = names.map(ToString::to_string).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn pull(&self, reference: &str, progress: ProgressSink<'_>) -> Result<(), Error> {
        let (reference, platform) = (reference.parse()?, Platform::of_host());
        registry::pull(&self.store, &reference, &platform, &self.access, progress)?;
        Ok(())
    }

    fn save(
        &self,
        references: &[String],
        _platform: Option<&str>,
        archive: &mut (dyn Write + Send),
    ) -> Result<(), Error> {
        let images = references
            .iter()
            .map(|reference| self.find_image(reference));
        let images: Vec<_> = images.collect::<Result<_, _>>()?;
        Ok(kind_image::archive::write(&self.store, &images, archive)?)
    }

    fn load(&self, archive: &mut (dyn Read + Send)) -> Result<(), Error> {
        kind_image::archive::read(&self.store, archive)?;
        Ok(())
    }

    fn create(&self, spec: &NodeSpec) -> Result<(), Error> {
        let image = self.find_image(&spec.image)?;
        // Nothing may remove the layers while something is made of them, be it for a node of that name or in vain.
        let held = self.store.hold_meanwhile(&image)?;
        let shared_image_store =
            shared_image_store::ensure_shared_image_store(&self.state, &self.helper, &image, spec);
        let record = {
            let lock = self.state.lock()?;
            self.register_node(spec, &image, shared_image_store, &lock)?
        };
        drop(held);
        match record.purpose {
            Purpose::LoadBalancer => Ok(()),
            Purpose::Kubernetes => self.fill_var(&record.name),
        }
    }

    fn start(&self, node: &str) -> Result<(), Error> {
        NodeRecord::load(&self.state.node(node))?;
        let mut helper = Helper::new(&self.helper, &self.state, node, Task::Monitor)?;
        helper
            .command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        process::own_session(&mut helper.command);
        let mut child = helper
            .command
            .spawn()
            .map_err(io_error("execute", &self.helper))?;
        let mut answer = Vec::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout
                .read_to_end(&mut answer)
                .map_err(Error::io("hear from the monitor"))?;
        }
        if answer == STARTED {
            // Reaps the monitor in case this process outlives the node.
            std::thread::spawn(move || child.wait());
            return Ok(());
        }
        let status = child.wait().map_err(Error::io("wait for the monitor"))?;
        helper.check_exit(status.code()).map(drop)
    }

    fn wait_until_booted(&self, _: &str, _: Boot, _: Duration) -> Result<(), Error> {
        // Commands run in cgroups of their own.
        Ok(())
    }

    fn stop(&self, node: &str, grace: Duration) -> Result<(), Error> {
        let directory = self.state.node(node);
        NodeRecord::load(&directory)?;
        removal::stop_node(&directory, node, grace)
    }

    fn remove(&self, nodes: &[String]) -> Result<(), Error> {
        removal::remove_nodes(&self.state, &self.store, nodes)
    }

    fn list(&self, cluster: Option<&str>) -> Result<Vec<Node>, Error> {
        let mut records = NodeRecord::load_all(&self.state)?;
        records.sort_by_key(|record| std::cmp::Reverse(record.created));
        let nodes = records.into_iter().map(|record| self.describe_node(record));
        Ok(nodes
            .filter(|node| !node.cluster().is_empty())
            .filter(|node| cluster.is_none_or(|cluster| node.cluster() == cluster))
            .collect())
    }

    fn inspect(&self, node: &str) -> Result<String, Error> {
        let record = NodeRecord::load(&self.state.node(node))?;
        let node = self.describe_node(record);
        let value = serde_json::json!([{
            "name": node.name,
            "image": node.image,
            "labels": node.labels,
            "state": format!("{:?}", node.state),
            "ipv4": node.ipv4,
            "ipv6": node.ipv6,
            "ports": node.ports,
        }]);
        Ok(format!("{value:#}\n"))
    }

    fn exec(&self, node: &str, command: &Command, io: Io<'_>) -> Result<i32, Error> {
        // Asked here for a plain error: the helper would find out too.
        first_process(&self.state.node(node), node)?;
        let request = ExecRequest {
            argv: command.argv.clone(),
            env: command.env.clone(),
            tty: command.tty,
        };
        exec::exec_call(&self.helper, &self.state, node, request, io)
    }

    fn copy_in(
        &self,
        node: &str,
        directory: &Path,
        tar: &mut (dyn Read + Send),
    ) -> Result<(), Error> {
        files::copy_in(&self.helper, &self.state, node, directory, tar)
    }

    fn copy_out(&self, node: &str, path: &Path, tar: &mut (dyn Write + Send)) -> Result<(), Error> {
        files::copy_out(&self.helper, &self.state, node, path, tar)
    }

    fn logs(&self, node: &str, follow: bool, out: &mut (dyn Write + Send)) -> Result<(), Error> {
        let directory = self.state.node(node);
        NodeRecord::load(&directory)?;
        console::copy_console_log(&directory, follow, out)
    }

    fn prune(&self, pruning: Pruning) -> Result<Vec<Leftover>, Error> {
        prune::prune_state(&self.state, &self.store, pruning)
    }

    fn find_network_problems(&self) -> Vec<Error> {
        network::find_problems(&self.state)
    }

    fn prune_orphans(&self, pruning: Pruning) -> Result<Vec<String>, Error> {
        orphans::prune_orphans(&self.state, pruning)
    }

    fn in_use(&self) -> Result<Option<InUse>, Error> {
        prune::in_use(&self.state)
    }
}

fn node_argv(image: &Image) -> Vec<String> {
    let config = image.config();
    let parts = [&config.entrypoint, &config.cmd];
    parts.into_iter().flatten().flatten().cloned().collect()
}

/// What every container has, then the image's, then the node's own.
fn node_environment(spec: &NodeSpec, image: &Image) -> BTreeMap<String, String> {
    let own = [
        ("PATH", PATH),
        ("HOME", "/root"),
        ("TERM", "xterm"),
        ("HOSTNAME", spec.name.as_str()),
    ];
    let own = own
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let image = image.config().env.iter().flatten();
    let image = image.filter_map(|pair| pair.split_once('='));
    let image = image.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.chain(image).chain(spec.env.clone()).collect()
}

fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}
