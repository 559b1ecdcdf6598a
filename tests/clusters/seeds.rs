//! Files that go into a node before it runs, and programs that know nothing of each other: one makes the node,
//! one fills it, one starts it, as after a crash.

use kind_engine::command_line::{CommandLine, Flavor};
use kind_engine::{
    CLUSTER_LABEL, Command, Engine as _, HostConfig, HostMount, Io, NetworkSpec, NodeSpec,
    Propagation, ROLE_LABEL,
};

use kind_e2e::eventually;

use crate::world::{NODE, NODE_IMAGE, World};

/// The variable that keeps nodes from sharing the image's `/var`.
const SNAPSHOTTER: &str = "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER";
const NAME: &str = "e2e-seeded";
/// One that a volume hides, one that a directory of the host hides, one that nothing hides.
const PATHS: [&str; 3] = ["/var/lib/kubelet/seed", "/shown/seed", "/etc/seed"];

/// Whether the node's `/var` is a shared one or a copy.
pub(crate) fn a_node_has_its_files_whoever_starts_it(world: &World) {
    for snapshotter in ["overlayfs", "native"] {
        let shown = world.directory.path().join("shown");
        std::fs::create_dir_all(&shown).unwrap();
        let node = Made(world);
        engine(world).create(&spec(world, snapshotter)).unwrap();
        let packed = archive("first");
        engine(world)
            .copy_in(NAME, "/".as_ref(), &mut &packed[..])
            .unwrap();
        let packed = archive("last");
        engine(world)
            .copy_in(NAME, "/".as_ref(), &mut &packed[..])
            .unwrap();
        engine(world).start(NAME).unwrap();
        await_content(world, "lastlastlast");
        let version = print(world, "/kind/bin/kind-node", &["--version"]).unwrap();
        assert!(version.starts_with("kind-node "), "{version}");
        // What came once does not come again.
        print(world, "sh", &["-c", "echo -n own >/var/lib/kubelet/seed"]).unwrap();
        world
            .engine
            .client(&["stop", "-t", "0", NAME])
            .expect("stop");
        engine(world).start(NAME).unwrap();
        await_content(world, "ownlastlast");
        drop(node);
    }
}

/// The node, which goes however the test ends.
struct Made<'a>(&'a World);

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let removed = engine(self.0).remove(&[NAME.to_owned()]);
        assert!(std::thread::panicking() || removed.is_ok(), "{removed:?}");
    }
}

fn engine(world: &World) -> CommandLine {
    let flavor = match world.engine.name() {
        "docker" => Flavor::Docker,
        _ => Flavor::Podman,
    };
    let program = world.engine.wrapper(world.directory.path());
    CommandLine::new(flavor, program.to_string_lossy())
}

fn spec(world: &World, snapshotter: &str) -> NodeSpec {
    let name = "kind".to_owned();
    let network = NetworkSpec { name };
    engine(world).ensure_network(&network).unwrap();
    // The program that the cluster's node was given.
    let agent = world.directory.path().join("kind-node");
    let from = format!("{NODE}:/kind/bin/kind-node");
    let copy = ["cp", &from, agent.to_str().unwrap()];
    world.engine.client(&copy).expect("cp");
    let labels = [(CLUSTER_LABEL, "seeded"), (ROLE_LABEL, "worker")];
    NodeSpec {
        name: NAME.to_owned(),
        image: NODE_IMAGE.to_owned(),
        network: network.name,
        node_agent: Some(kind_engine::Agent::file(agent)),
        labels: labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        env: [(SNAPSHOTTER.to_owned(), snapshotter.to_owned())].into(),
        host: HostConfig {
            mounts: vec![HostMount {
                host: world.directory.path().join("shown"),
                container: "/shown".into(),
                read_only: false,
                selinux_relabel: false,
                propagation: Propagation::None,
            }],
            ..HostConfig::default()
        },
        ..NodeSpec::default()
    }
}

fn archive(text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for path in PATHS {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        let path = path.trim_start_matches('/');
        builder
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

/// Waits for the files' content: the first process puts them in place, and a command may come before it has.
fn await_content(world: &World, expected: &str) {
    eventually("the files are in place", 30, || {
        let content = print(world, "cat", &PATHS);
        if content.as_deref() == Ok(expected) {
            Ok(())
        } else {
            Err(content)
        }
    });
}

/// What a command in the node prints; its errors if it fails.
fn print(world: &World, program: &str, arguments: &[&str]) -> Result<String, String> {
    let words = [&[program], arguments].concat();
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let io = Io::new(None, &mut out, &mut errors);
    let code = engine(world).exec(NAME, &Command::new(words), io).unwrap();
    if code == 0 {
        Ok(String::from_utf8(out).unwrap())
    } else {
        Err(String::from_utf8_lossy(&errors).into_owned())
    }
}
