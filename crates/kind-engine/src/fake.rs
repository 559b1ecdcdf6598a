//! An engine without nodes, for tests of order and of what happens after failures. Behind the feature
//! `fake`, which nothing but tests turns on.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kind_image::ProgressSink;

use crate::engine::sealed::Sealed;
use crate::{
    Boot, Command, Engine, EngineKind, Error, ImageInfo, InUse, Info, Io, Leftover, LeftoverKind,
    Limits, Network, NetworkSpec, Node, NodeSpec, Pruning, State,
};

/// Plays a program in a node: gets its arguments, its input and its outputs, and returns its code.
pub type Program = dyn Fn(&Fake, &[String], Io<'_>) -> Result<i32, Error> + Send + Sync;

/// An engine that notes what it is asked for.
pub struct Fake {
    world: Mutex<World>,
    program: Box<Program>,
}

#[derive(Default)]
struct World {
    calls: Vec<String>,
    nodes: Vec<Node>,
    copied: Vec<Copied>,
    files: BTreeMap<String, String>,
    fails: Option<String>,
    stock: BTreeMap<String, (String, Vec<u8>)>,
    next_address: u8,
    /// What nodes were given, by their names.
    environments: BTreeMap<String, Vec<String>>,
    changing_addresses: bool,
    /// The node that no call makes.
    refused: Option<String>,
}

/// A file that was copied into a node.
struct Copied {
    node: String,
    path: String,
    text: String,
}

impl Fake {
    /// An engine whose nodes hold these files and run every command with `program`.
    pub fn new(files: &[(&str, &str)], program: Box<Program>) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self {
            world: Mutex::new(World {
                files: files.collect(),
                next_address: 2,
                ..World::default()
            }),
            program,
        }
    }

    /// Puts an image into the engine's store: its id, and the archive that saving it gives.
    pub fn stock(&self, reference: &str, id: &str, archive: Vec<u8>) {
        let image = (id.to_owned(), archive);
        self.world().stock.insert(reference.to_owned(), image);
    }

    /// Makes the first call of that name fail, for example `start`.
    pub fn fail(&self, call: &str) {
        self.world().fails = Some(call.to_owned());
    }

    /// Makes the creation of that node fail before anything of it is there.
    pub fn refuse_node(&self, node: &str) {
        self.world().refused = Some(node.to_owned());
    }

    /// Its networks give nodes other addresses at every start from now on.
    pub fn change_addresses(&self) {
        self.world().changing_addresses = true;
    }

    /// Names of the calls so far, with their node where they have one.
    pub fn calls(&self) -> Vec<String> {
        self.world().calls.clone()
    }

    /// Whether a node of that name exists.
    pub fn has(&self, node: &str) -> bool {
        self.world().nodes.iter().any(|known| known.name == node)
    }

    /// Paths of the files that were copied in.
    pub fn copied(&self) -> Vec<String> {
        let world = self.world();
        world.copied.iter().map(|file| file.path.clone()).collect()
    }

    /// The files that were copied into a node, by their paths.
    pub fn copied_to(&self, node: &str) -> BTreeMap<String, String> {
        let world = self.world();
        let files = world.copied.iter().filter(|file| file.node == node);
        files
            .map(|file| (file.path.clone(), file.text.clone()))
            .collect()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, name: &str, what: &str) -> Result<MutexGuard<'_, World>, Error> {
        let mut world = self.world();
        world
            .calls
            .push(format!("{name} {what}").trim_end().to_owned());
        if world.fails.as_deref() == Some(name) {
            world.fails = None;
            return Err(Error::io(format!("{name} {what}"))(
                std::io::ErrorKind::Other.into(),
            ));
        }
        Ok(world)
    }

    fn change(&self, call: &str, node: &str, state: State) -> Result<(), Error> {
        let mut world = self.call(call, node)?;
        let found = world.nodes.iter_mut().find(|known| known.name == node);
        let found = found.ok_or_else(|| Error::NoSuchNode(node.to_owned()))?;
        found.state = state;
        Ok(())
    }
}

impl Sealed for Fake {}

impl Engine for Fake {
    /// It stands in for Docker, under a name of its own.
    fn kind(&self) -> EngineKind {
        EngineKind::Docker
    }

    fn name(&self) -> &'static str {
        "fake"
    }

    fn info(&self) -> Result<Info, Error> {
        drop(self.call("info", "")?);
        Ok(Info {
            cgroup2: true,
            limits: Limits::ALL,
            hostname: crate::own_hostname(),
            parallel_creates: true,
            ..Info::default()
        })
    }

    fn describe(&self) -> Result<String, Error> {
        drop(self.call("describe", "")?);
        Ok("an engine without nodes\n".to_owned())
    }

    fn ensure_network(&self, network: &NetworkSpec) -> Result<Network, Error> {
        let world = self.call("network", &network.name)?;
        Ok(Network {
            name: network.name.clone(),
            subnets: vec!["172.18.0.0/16".to_owned()],
            lasting_addresses: !world.changing_addresses,
            warnings: Vec::new(),
        })
    }

    fn image(&self, reference: &str) -> Result<Option<ImageInfo>, Error> {
        let world = self.call("image", reference)?;
        let stocked = world.stock.get(reference).map(|(id, _)| id.clone());
        let unknown = (!reference.contains("absent")).then(|| "sha256:0".to_owned());
        Ok(stocked.or(unknown).map(|id| ImageInfo {
            id,
            labels: BTreeMap::new(),
        }))
    }

    fn images(&self) -> Result<Vec<String>, Error> {
        let world = self.call("images", "")?;
        Ok(world.stock.keys().cloned().collect())
    }

    fn pull(&self, reference: &str, _: ProgressSink<'_>) -> Result<(), Error> {
        drop(self.call("pull", reference)?);
        Err(Error::NoSuchImage(reference.to_owned()))
    }

    fn save(
        &self,
        references: &[String],
        _: Option<&str>,
        archive: &mut (dyn Write + Send),
    ) -> Result<(), Error> {
        let world = self.call("save", &references.join(" "))?;
        let stocked = references.first().and_then(|name| world.stock.get(name));
        if let Some((_, bytes)) = stocked.cloned() {
            drop(world);
            let written = archive.write_all(&bytes);
            return written.map_err(Error::io("writing a tar stream"));
        }
        drop(world);
        let finished = tar::Builder::new(archive).finish();
        finished.map_err(Error::io("writing a tar stream"))
    }

    fn load(&self, _: &mut (dyn Read + Send)) -> Result<(), Error> {
        self.call("load", "").map(drop)
    }

    fn create(&self, node: &NodeSpec) -> Result<(), Error> {
        if self.has(&node.name) {
            return Err(Error::NodeExists(node.name.clone()));
        }
        if self.world().refused.as_ref() == Some(&node.name) {
            let refused = std::io::ErrorKind::Other;
            return Err(Error::io(format!("create {}", node.name))(refused.into()));
        }
        // As after a crash in the middle: the node is there, and the call has failed.
        let mut world = self.world();
        let variables = node.env.iter();
        let variables = variables
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        world.environments.insert(node.name.clone(), variables);
        let address = [172, 18, 0, world.next_address];
        world.next_address += 1;
        world.nodes.insert(
            0,
            Node {
                name: node.name.clone(),
                labels: node.labels.clone(),
                image: node.image.clone(),
                state: State::Created,
                ipv4: Some(address.into()),
                ipv6: None,
                ports: node.host.ports.clone(),
            },
        );
        drop(world);
        self.call("create", &node.name).map(drop)
    }

    fn start(&self, node: &str) -> Result<(), Error> {
        self.change("start", node, State::Running)
    }

    fn wait_until_booted(&self, _: &str, _: Boot, _: Duration) -> Result<(), Error> {
        // Not noted: it belongs to the start before it.
        Ok(())
    }

    fn stop(&self, node: &str, _: Duration) -> Result<(), Error> {
        self.change("stop", node, State::Exited(None))
    }

    fn remove(&self, nodes: &[String]) -> Result<(), Error> {
        let mut world = self.call("remove", &nodes.join(" "))?;
        world.nodes.retain(|node| !nodes.contains(&node.name));
        Ok(())
    }

    fn list(&self, cluster: Option<&str>) -> Result<Vec<Node>, Error> {
        let world = self.call("list", "")?;
        let wanted = |node: &&Node| cluster.is_none_or(|cluster| node.cluster() == cluster);
        Ok(world.nodes.iter().filter(wanted).cloned().collect())
    }

    fn inspect(&self, node: &str) -> Result<String, Error> {
        let world = self.call("inspect", node)?;
        let variables = world.environments.get(node);
        let known = serde_json::json!([{ "Config": { "Env": variables } }]);
        Ok(format!("{known:#}\n"))
    }

    fn exec(&self, node: &str, command: &Command, io: Io<'_>) -> Result<i32, Error> {
        let program = command.argv.first().map_or("", String::as_str);
        drop(self.call("exec", &format!("{node} {program}"))?);
        (self.program)(self, &command.argv, io)
    }

    fn copy_in(&self, node: &str, _: &Path, tar: &mut (dyn Read + Send)) -> Result<(), Error> {
        let mut world = self.call("copy_in", node)?;
        let mut archive = tar::Archive::new(tar);
        let entries = archive
            .entries()
            .map_err(Error::io("reading a tar stream"))?;
        for entry in entries {
            let mut entry = entry.map_err(Error::io("reading a tar stream"))?;
            let path = entry.path().map_err(Error::io("reading a tar stream"))?;
            let path = format!("/{}", path.display());
            let mut text = String::new();
            entry
                .read_to_string(&mut text)
                .map_err(Error::io("reading a tar stream"))?;
            world.copied.push(Copied {
                node: node.to_owned(),
                path,
                text,
            });
        }
        Ok(())
    }

    fn copy_out(&self, node: &str, path: &Path, tar: &mut (dyn Write + Send)) -> Result<(), Error> {
        let files = self.call("copy_out", node)?.files.clone();
        let parent = path.parent().unwrap_or(path);
        let mut builder = tar::Builder::new(tar);
        for (file, text) in &files {
            let file = Path::new(file);
            let Some(name) = file.starts_with(path).then(|| file.strip_prefix(parent)) else {
                continue;
            };
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            let name = name.unwrap_or(file);
            let added = builder.append_data(&mut header, name, text.as_bytes());
            added.map_err(Error::io("writing a tar stream"))?;
        }
        builder.finish().map_err(Error::io("writing a tar stream"))
    }

    fn logs(&self, node: &str, _: bool, out: &mut (dyn Write + Send)) -> Result<(), Error> {
        drop(self.call("logs", node)?);
        out.write_all(b"console\n")
            .map_err(Error::io("writing a log"))
    }

    fn prune(&self, pruning: Pruning) -> Result<Vec<Leftover>, Error> {
        drop(self.call("prune", &format!("{pruning:?}"))?);
        Ok(vec![Leftover::new(LeftoverKind::Image, "node:1", 1000)])
    }

    fn in_use(&self) -> Result<Option<InUse>, Error> {
        drop(self.call("in_use", "")?);
        Ok(Some(InUse::default()))
    }
}
