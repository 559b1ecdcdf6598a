//! The engine trait on a program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::addresses::{self, Addresses};
use super::arguments::{self, Surroundings};
use super::failure_reason::is_taken;
use super::images::Inspected;
use super::mutex::lock_mutex;
use super::network::InspectedNetwork;
use super::program::Program;
#[cfg(target_os = "linux")]
use super::rootless;
use super::shared_image_store::SharedImageStores;
use super::{
    FailureReason, Flavor, agent, boot, client_config, copy, exec, images, info, listing, network,
    ports, removal, seed, shared_image_store, streams,
};
use crate::engine::sealed::Sealed;
use crate::{
    Agent, Boot, Command, Engine, EngineKind, Error, ImageInfo, InUse, Info, Io, Leftover, Network,
    NetworkSpec, Node, NodeSpec, Port, Pruning, Purpose,
};
use ipnet::IpNet;
use kind_image::ProgressSink;

/// How often a node is given other addresses because somebody else has the same.
const MAX_MOVES: usize = 3;

/// Nodes in containers of docker, podman or nerdctl.
#[derive(Debug)]
pub struct CommandLine {
    flavor: Flavor,
    program: Program,
    info: OnceLock<Info>,
    /// What was told last of images that are there, by their references.
    images: Mutex<BTreeMap<String, Inspected>>,
    networks: Mutex<BTreeMap<String, InspectedNetwork>>,
    addresses: Addresses,
    shared_image_stores: SharedImageStores,
    /// Where programs for nodes become files, where nodes need such.
    agents: PathBuf,
    /// Directories of the user's programs.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux has engines without root here")
    )]
    search_path: OsString,
}

/// What is behind the name of an engine's program.
#[derive(Debug)]
pub enum Presence {
    /// Nothing.
    Missing,
    /// A program, which says this of itself first. One of that name may be another's: podman comes as `docker` too.
    Program(String),
    /// Something that does not answer.
    Silent,
    /// Something that cannot be run.
    Broken(Error),
}

impl CommandLine {
    /// An engine of that flavor behind the program of that name. Asks for nothing yet.
    pub fn new(flavor: Flavor, program: impl Into<String>) -> Self {
        Self {
            flavor,
            program: Program::of_engine(flavor, program),
            info: OnceLock::new(),
            images: Mutex::default(),
            networks: Mutex::default(),
            addresses: Addresses::default(),
            shared_image_stores: SharedImageStores::default(),
            agents: PathBuf::from("/var/lib/kind/agents"),
            search_path: OsString::new(),
        }
    }

    /// Puts the node agent below this directory where an engine can only be given it from a file that
    /// lasts; in `/var/lib/kind/agents` by default.
    #[must_use]
    pub fn agents_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.agents = directory.into();
        self
    }

    /// Looks for what engines without root need also in these directories, written as in the variable `PATH`.
    #[must_use]
    pub fn search_path(mut self, directories: impl Into<OsString>) -> Self {
        self.search_path = directories.into();
        self
    }

    /// Makes temporary files in this directory; in `/tmp` by default.
    #[must_use]
    pub fn temporary_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.program.keep_temporary_in(directory.into());
        self
    }

    /// What is behind the program's name, which must tell so within this time. The engine is asked for nothing:
    /// looking at podman's store would make one.
    pub fn probe_program(&self, limit: Duration) -> Presence {
        let output = match self.program.output_within(&["-v"], limit) {
            Ok(Some(output)) => output,
            Ok(None) => return Presence::Silent,
            Err(error) if error.failure_reason() == Some(FailureReason::NoProgram) => {
                return Presence::Missing;
            }
            Err(error) => return Presence::Broken(error),
        };
        let text = String::from_utf8_lossy(&output.stdout);
        Presence::Program(text.lines().next().unwrap_or_default().to_owned())
    }

    /// What the engine says of itself, if it does within this time.
    ///
    /// # Errors
    /// Those of [`Engine::info`].
    pub fn info_within(&self, limit: Duration) -> Result<Option<Info>, Error> {
        if let Some(info) = self.info.get() {
            return Ok(Some(info.clone()));
        }
        let arguments = self.flavor.info_arguments();
        let Some(output) = self.program.output_within(arguments, limit)? else {
            return Ok(None);
        };
        let text = self.program.data_of(arguments, output);
        let info = info::parse_info(
            self.flavor,
            &text.map_err(|error| self.explain_failure(error))?,
        )?;
        Ok(Some(self.info.get_or_init(|| info).clone()))
    }

    /// Takes what the engine has said of itself to another value of this type.
    pub fn remember_info(&self, info: Info) {
        self.info.get_or_init(|| info);
    }

    /// What a host lacks for podman without root, in the place of podman's own failure, which is about the first
    /// step that did not work.
    #[cfg(target_os = "linux")]
    fn explain_failure(&self, failure: Error) -> Error {
        let user = rustix::process::getuid();
        let is_unknown = failure.failure_reason() == Some(FailureReason::Unknown);
        if self.flavor != Flavor::Podman || user.is_root() || !is_unknown {
            return failure;
        }
        let host = rootless::Host::current(&self.search_path);
        let wanted = rootless::Wanted {
            nodes: 0,
            ports: &[],
        };
        let problems = rootless::find_problems(self.flavor, &host, wanted);
        rootless::error(self.name(), &problems).unwrap_or(failure)
    }

    /// Whether the host is this one and has no `/lib/modules`, as where the kernel has everything built in: root's
    /// engines make the directory, others fail.
    #[cfg(target_os = "linux")]
    fn lacks_modules(&self, info: &Info) -> bool {
        info.rootless && !Path::new("/lib/modules").exists() && info.is_on(&crate::own_hostname())
    }

    /// A route of this host that leads addresses of these subnets elsewhere, if the engine is root's and on this host.
    #[cfg(target_os = "linux")]
    fn find_foreign_route(&self, subnets: &network::Subnets) -> Option<IpNet> {
        let info = self.info().ok()?;
        if info.rootless || !info.is_on(&crate::own_hostname()) {
            return None;
        }
        network::find_foreign_route(subnets)
    }

    #[cfg(not(target_os = "linux"))]
    fn find_foreign_route(&self, _: &network::Subnets) -> Option<IpNet> {
        None
    }

    #[cfg(not(target_os = "linux"))]
    fn lacks_modules(&self, _: &Info) -> bool {
        false
    }

    #[cfg(not(target_os = "linux"))]
    fn explain_failure(&self, failure: Error) -> Error {
        failure
    }

    fn inspect_cached_network(&self, name: &str) -> Result<InspectedNetwork, Error> {
        let found = lock_mutex(&self.networks).get(name).cloned();
        match found {
            Some(known) => Ok(known),
            None => self.inspect_network(name),
        }
    }

    fn inspect_network(&self, name: &str) -> Result<InspectedNetwork, Error> {
        let find_route = |subnets: &network::Subnets| self.find_foreign_route(subnets);
        let known = network::ensure_network(self.flavor, &self.program, name, find_route)?;
        lock_mutex(&self.networks).insert(name.to_owned(), known.clone());
        Ok(known)
    }

    /// Asks for an image, and remembers the answer for the nodes that are made of it next.
    fn inspect_image(&self, reference: &str) -> Result<Option<Inspected>, Error> {
        let found = images::find_image(self.flavor, &self.program, reference)?;
        let mut images = lock_mutex(&self.images);
        match &found {
            Some(found) => images.insert(reference.to_owned(), found.clone()),
            None => images.remove(reference),
        };
        Ok(found)
    }

    fn inspect_cached_image(&self, reference: &str) -> Result<Option<Inspected>, Error> {
        let known = lock_mutex(&self.images).get(reference).cloned();
        known.map_or_else(|| self.inspect_image(reference), |known| Ok(Some(known)))
    }

    /// Every container on a network, running or not.
    fn containers_on(&self, network: &str) -> Result<Vec<Node>, Error> {
        let filter = format!("network={network}");
        listing::list_containers(self.flavor, &self.program, &filter)
    }

    /// Makes a node's container without starting it, and makes it again with other addresses while somebody else makes
    /// one with the same. Both see that: an engine tells of both as soon as the later one is there.
    fn make_container(
        &self,
        info: &Info,
        node: &NodeSpec,
        surroundings: &mut Surroundings,
    ) -> Result<(), Error> {
        let program = self.program.with_secrets(&node.env);
        let mut moves = 0;
        loop {
            let arguments = arguments::create_arguments(self.flavor, info, node, surroundings);
            let made = program.command_output(&arguments);
            if moves == MAX_MOVES || !self.gives_up_addresses(node, &made)? {
                return made.map(drop);
            }
            moves += 1;
            removal::remove_created(&self.program, &node.name)?;
            self.find_addresses(node, surroundings)?;
        }
    }

    /// Whether a node must have other addresses than those that it was made with, or was not made for.
    fn gives_up_addresses(
        &self,
        node: &NodeSpec,
        made: &Result<String, Error>,
    ) -> Result<bool, Error> {
        let reason = made.as_ref().err().map(Error::failure_reason);
        if reason.is_some_and(|reason| reason != Some(FailureReason::AddressTaken)) {
            return Ok(false);
        }
        let known = self.inspect_cached_network(&node.network)?;
        // Where names are not told, its peers know its addresses already.
        let may_move = known.network.lasting_addresses && known.settings.gives_names();
        if may_move && made.is_err() {
            return Ok(self.addresses.give_up(&node.name));
        }
        if !may_move || !addresses::is_crowded(&known.subnets) {
            return Ok(false);
        }
        let names = listing::container_names(&self.program, &node.network)?;
        if !self.addresses.has_strangers(names.lines()) {
            return Ok(false);
        }
        let containers = self.containers_on(&node.network)?;
        Ok(self.addresses.give_up_contested(&node.name, &containers))
    }

    fn find_surroundings(&self, node: &NodeSpec) -> Result<Surroundings, Error> {
        let info = self.info()?;
        let look = || self.inspect_cached_image(&node.image);
        let mut surroundings = Surroundings {
            ports: ports::publish_arguments(self.flavor, &node.host.ports)?,
            shared_image_store: self.shared_image_stores.find_or_make(
                self.flavor,
                &self.program,
                &info,
                node,
                look,
            ),
            agent: self.install_agent(node.node_agent.as_ref())?,
            lacks_modules: self.lacks_modules(&info),
            ..Surroundings::default()
        };
        if seed::is_needed(self.flavor, node, surroundings.shared_image_store.is_some()) {
            let image = self.inspect_cached_image(&node.image)?;
            let image = image.ok_or_else(|| Error::NoSuchImage(node.image.clone()))?;
            surroundings.seeded_command = Some(image.command());
        }
        self.find_addresses(node, &mut surroundings)?;
        if self.flavor == Flavor::Podman && node.purpose == Purpose::Kubernetes {
            // Podman tells no volume's owner; the label is how a removal finds it.
            let label = format!("{}=true", node.name);
            let volume = self
                .program
                .command_output(&["volume", "create", "--label", &label])?;
            surroundings.volume = Some(volume.trim().to_owned());
        }
        Ok(surroundings)
    }

    /// A node's addresses, and those of its peers where the network does not tell their names.
    fn find_addresses(
        &self,
        node: &NodeSpec,
        surroundings: &mut Surroundings,
    ) -> Result<(), Error> {
        let known = self.inspect_cached_network(&node.network)?;
        if !known.network.lasting_addresses {
            return Ok(());
        }
        let choose = |name: &str| {
            let list_others = || self.containers_on(&node.network);
            self.addresses
                .choose_addresses(name, &known.subnets, list_others)
        };
        (surroundings.ipv4, surroundings.ipv6) = choose(&node.name)?;
        if known.settings.gives_names() {
            return Ok(());
        }
        for peer in node.peers.iter().filter(|peer| **peer != node.name) {
            let (v4, v6) = choose(peer)?;
            let addresses = v4.map(IpAddr::from).into_iter().chain(v6.map(IpAddr::from));
            let hosts = addresses.map(|address| (peer.clone(), address));
            surroundings.hosts.extend(hosts);
        }
        Ok(())
    }

    /// The node agent as a file, where the engine takes no files before a node runs.
    fn install_agent(&self, agent: Option<&Agent>) -> Result<Option<PathBuf>, Error> {
        let agent = agent.filter(|_| !self.flavor.copies_streams());
        let installed = agent.map(|agent| agent.install(&self.agents));
        let failed = format!("write below {}", self.agents.display());
        installed.transpose().map_err(Error::io(failed))
    }
}

impl Sealed for CommandLine {}

impl Engine for CommandLine {
    fn kind(&self) -> EngineKind {
        self.flavor.kind()
    }

    fn info(&self) -> Result<Info, Error> {
        if let Some(info) = self.info.get() {
            return Ok(info.clone());
        }
        let text = self.program.command_data(self.flavor.info_arguments());
        let info = info::parse_info(
            self.flavor,
            &text.map_err(|error| self.explain_failure(error))?,
        )?;
        Ok(self.info.get_or_init(|| info).clone())
    }

    #[cfg(target_os = "linux")]
    fn preflight(&self, nodes: usize, ports: &[Port]) -> Result<Vec<String>, Error> {
        let info = self.info()?;
        // Of another machine this one's files say nothing.
        if !info.rootless || !info.is_on(&crate::own_hostname()) {
            return Ok(Vec::new());
        }
        let host = rootless::Host::current(&self.search_path);
        let wanted = rootless::Wanted { nodes, ports };
        let problems = rootless::find_problems(self.flavor, &host, wanted);
        match rootless::error(self.name(), &problems) {
            Some(error) => Err(error),
            None => Ok(rootless::collect_warnings(&problems)),
        }
    }

    fn describe(&self) -> Result<String, Error> {
        self.program.command_output(&["info"])
    }

    fn proxies(&self, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        match self.flavor {
            Flavor::Docker => client_config::client_proxies(&self.program, environment),
            Flavor::Podman | Flavor::Nerdctl => BTreeMap::new(),
        }
    }

    fn ensure_network(&self, network: &NetworkSpec) -> Result<Network, Error> {
        self.inspect_network(&network.name)
            .map(|known| known.network)
    }

    fn image(&self, reference: &str) -> Result<Option<ImageInfo>, Error> {
        self.inspect_image(reference)
            .map(|found| found.map(Inspected::info))
    }

    fn images(&self) -> Result<Vec<String>, Error> {
        images::image_names(&self.program)
    }

    fn pull(&self, reference: &str, progress: ProgressSink<'_>) -> Result<(), Error> {
        images::pull_image(self.flavor, &self.program, reference, progress)
    }

    fn save(
        &self,
        references: &[String],
        platform: Option<&str>,
        archive: &mut (dyn Write + Send),
    ) -> Result<(), Error> {
        images::save_images(
            self.flavor,
            &self.program,
            &self.info()?,
            references,
            platform,
            archive,
        )
    }

    fn load(&self, archive: &mut (dyn Read + Send)) -> Result<(), Error> {
        // Its names may have been others' until now.
        lock_mutex(&self.images).clear();
        images::load_images(&self.program, archive)
    }

    fn create(&self, node: &NodeSpec) -> Result<(), Error> {
        let info = self.info()?;
        let mut surroundings = self.find_surroundings(node)?;
        if let Err(error) = self.make_container(&info, node, &mut surroundings) {
            if let Some(volume) = &surroundings.volume {
                // A node that was there before keeps its own.
                let removed = self
                    .program
                    .command_output(&["volume", "rm", "--force", volume]);
                tracing::debug!(?removed, volume, "the volume of a node that was not made");
            }
            return Err(
                if is_taken(error.output().unwrap_or_default(), &node.name) {
                    Error::NodeExists(node.name.clone())
                } else {
                    error
                },
            );
        }
        match &node.node_agent {
            Some(agent) if self.flavor.copies_streams() => {
                agent::place_agent(self.flavor, &self.program, &node.name, agent)
            }
            _ => Ok(()),
        }
    }

    fn start(&self, node: &str) -> Result<(), Error> {
        self.program.command_output(&["start", node])?;
        if self.flavor.copies_streams() {
            return Ok(());
        }
        agent::place_labelled(self.flavor, &self.program, node)
    }

    fn wait_until_booted(&self, node: &str, boot: Boot, limit: Duration) -> Result<(), Error> {
        boot::await_boot(&self.program, node, boot, limit)
    }

    fn stop(&self, node: &str, grace: Duration) -> Result<(), Error> {
        let seconds = grace.as_secs().to_string();
        self.program
            .command_output(&["stop", "-t", &seconds, node])
            .map(drop)
    }

    fn remove(&self, nodes: &[String]) -> Result<(), Error> {
        removal::remove_nodes(self.flavor, &self.program, || self.info(), nodes)
    }

    fn list(&self, cluster: Option<&str>) -> Result<Vec<Node>, Error> {
        listing::list_nodes(self.flavor, &self.program, cluster)
    }

    fn inspect(&self, node: &str) -> Result<String, Error> {
        self.program.command_output(&["inspect", node])
    }

    fn exec(&self, node: &str, command: &Command, io: Io<'_>) -> Result<i32, Error> {
        exec::exec_command(&self.program, node, command, io)
    }

    fn copy_in(
        &self,
        node: &str,
        directory: &Path,
        tar: &mut (dyn Read + Send),
    ) -> Result<(), Error> {
        if !self.flavor.copies_streams() || !seed::is_awaited(&self.program, node)? {
            return copy::into_node(self.flavor, &self.program, node, directory, tar);
        }
        let seed = seed::pack_seed(directory, tar).map_err(Error::io("read the node's files"))?;
        copy::into_node(
            self.flavor,
            &self.program,
            node,
            Path::new("/"),
            &mut &seed[..],
        )
    }

    fn copy_out(&self, node: &str, path: &Path, tar: &mut (dyn Write + Send)) -> Result<(), Error> {
        copy::out_of_node(self.flavor, &self.program, node, path, tar)
    }

    fn logs(&self, node: &str, follow: bool, out: &mut (dyn Write + Send)) -> Result<(), Error> {
        let arguments: &[&str] = if follow {
            &["logs", "-f", node]
        } else {
            &["logs", node]
        };
        streams::stream_all(&self.program, arguments, out)
    }

    /// Images in an engine's store are its user's own.
    fn prune(&self, pruning: Pruning) -> Result<Vec<Leftover>, Error> {
        let mut found = shared_image_store::prune_shared_image_stores(&self.program, pruning)?;
        let scouts = network::prune_scouts(self.flavor, &self.program, pruning)?;
        found.extend(scouts);
        Ok(found)
    }

    /// Programs are copied into these nodes.
    fn in_use(&self) -> Result<Option<InUse>, Error> {
        Ok(Some(InUse::default()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::stub;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    /// What a program of this script says of itself, and what it was asked.
    fn probed(script: &str, limit: Duration) -> (Presence, String) {
        let directory = tempfile::tempdir().unwrap();
        let calls = directory.path().join("calls");
        let script = format!("echo \"$*\" >>{}\n{script}\n", calls.display());
        let program = stub::program(directory.path(), &script);
        let presence = CommandLine::new(Flavor::Podman, program).probe_program(limit);
        (presence, std::fs::read_to_string(calls).unwrap())
    }

    /// Docker with a network of few addresses, on which another kind makes a container at the same time: with the
    /// address that the first one here has.
    const CROWDED: &str = r#"
dir=${0%/*}
echo "$*" >>"$dir/calls"
case "$*" in
info*) echo '{}' ;;
'network inspect kind') echo '[{"Name":"kind","IPAM":{"Config":[{"Subnet":"172.30.0.0/24","IPRange":"172.30.0.0/25"}]}}]' ;;
'ps '*.Names*) echo other; echo mine ;;
'ps '*) grep -q '^create' "$dir/calls" && echo 0123 ;;
'inspect '*)
    address=$(sed -n 's/^create .*--ip \([^ ]*\).*/\1/p' "$dir/calls" | head -n 1)
    echo '[{"Name":"/other","NetworkSettings":{"Networks":{"kind":{"IPAMConfig":{"IPv4Address":"'"$address"'"}}}}}]' ;;
esac
exit 0
"#;

    #[test]
    fn a_node_moves_to_another_address_where_somebody_else_has_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let engine = CommandLine::new(Flavor::Docker, stub::program(directory.path(), CROWDED));
        let node = NodeSpec {
            name: "mine".to_owned(),
            network: "kind".to_owned(),
            purpose: Purpose::LoadBalancer,
            ..NodeSpec::default()
        };
        engine.create(&node).unwrap();
        let calls = std::fs::read_to_string(directory.path().join("calls")).unwrap();
        let begins = |word: &'static str| calls.lines().filter(move |call| call.starts_with(word));
        let address = |call: &str| {
            let mut words = call.split(' ').skip_while(|word| *word != "--ip");
            words.nth(1).unwrap().to_owned()
        };
        let addresses: Vec<_> = begins("create ").map(address).collect();
        assert_eq!(addresses.len(), 2, "{calls}");
        assert_ne!(addresses[0], addresses[1]);
        assert_eq!(begins("rm ").collect::<Vec<_>>(), ["rm -f -v mine"]);
    }

    /// Docker that has given the first addresses it is asked for to somebody who is not told.
    const ALLOCATED: &str = r#"
dir=${0%/*}
echo "$*" >>"$dir/calls"
case "$*" in
info*) echo '{}' ;;
'network inspect kind') echo '[{"Name":"kind","IPAM":{"Config":[{"Subnet":"172.30.0.0/24","IPRange":"172.30.0.0/25"}]}}]' ;;
create*)
    if [ "$(grep -c '^create' "$dir/calls")" -le FAILURES ]; then
        echo 'Error response from daemon: Address already in use' >&2
        exit 1
    fi ;;
esac
exit 0
"#;

    #[test]
    fn a_node_gets_another_address_where_its_own_is_already_allocated() {
        for (failures, creates) in [(2, 3), (9, 1 + MAX_MOVES)] {
            let directory = tempfile::tempdir().unwrap();
            let script = ALLOCATED.replace("FAILURES", &failures.to_string());
            let program = stub::program(directory.path(), &script);
            let engine = CommandLine::new(Flavor::Docker, program);
            let node = NodeSpec {
                name: "mine".to_owned(),
                network: "kind".to_owned(),
                purpose: Purpose::LoadBalancer,
                ..NodeSpec::default()
            };
            let created = engine.create(&node);
            assert_eq!(created.is_ok(), failures == 2, "{created:?}");
            let calls = std::fs::read_to_string(directory.path().join("calls")).unwrap();
            let made = calls.lines().filter(|call| call.starts_with("create "));
            let mut addresses: Vec<_> = made
                .map(|call| call.split(' ').skip_while(|word| *word != "--ip").nth(1))
                .collect();
            assert_eq!(addresses.len(), creates, "{calls}");
            addresses.sort_unstable();
            addresses.dedup();
            assert_eq!(addresses.len(), creates, "{calls}");
        }
    }

    #[test]
    fn podman_is_found_without_leaving_traces() {
        let (presence, calls) = probed("echo podman version 4.3.1", LIMIT);
        assert!(matches!(presence, Presence::Program(banner) if banner == "podman version 4.3.1"));
        assert_eq!(calls, "-v\n");
    }

    #[test]
    fn a_program_that_sleeps_is_not_waited_for() {
        let began = Instant::now();
        let (presence, _) = probed("exec sleep 600", Duration::from_millis(100));
        assert!(matches!(presence, Presence::Silent));
        assert!(began.elapsed() < LIMIT);
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        let engine = CommandLine::new(Flavor::Docker, "no-such-program");
        assert!(matches!(engine.probe_program(LIMIT), Presence::Missing));
    }
}
