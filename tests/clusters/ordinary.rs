//! Docker for a user who is not root but in the group of its socket, which is the usual way to use it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use kind_e2e::{Kind, User, answer, limit};

use crate::names::ORDINARY;
use crate::workloads::SAMPLE;
use crate::world::{NODE_IMAGE, World};

const ORDINARY_NODE: &str = "ordinary-control-plane";

/// The name under which a build from Debian's packages leaves its image.
const BUILT: &str = "kind.local/node:debian";

/// Places of a host that are nobody's home. Others may use them at the same time.
const OF_ALL: [&str; 5] = [
    "/var/lib/kind",
    "/var/cache/kind",
    "/tmp",
    "/var/tmp",
    "/run",
];

/// Everything of that user. Anybody can look there, as into a usual home.
fn directory(world: &World) -> PathBuf {
    let whole = world.directory.path();
    fs::set_permissions(whole, fs::Permissions::from_mode(0o711)).unwrap();
    whole.join("ordinary")
}

fn kind(world: &World) -> Kind {
    world.kind.of_user(User::ORDINARY, &directory(world))
}

fn home(world: &World) -> PathBuf {
    directory(world).join("home")
}

/// Names of everything below a directory, relative to it.
fn names(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let below = names(&entry.path()).into_iter();
            found.extend(below.map(|below| format!("{name}/{below}")));
        }
        found.push(name);
    }
    found.sort();
    found
}

/// What there is of the user's in a directory.
fn of_user(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let own = entries.filter(|entry| {
        let found = entry.metadata();
        found.is_ok_and(|found| found.uid() == User::ORDINARY.id())
    });
    own.map(|entry| entry.path()).collect()
}

/// A creation that must not come to anything.
fn create(kind: &Kind) -> Command {
    kind.command(&[
        "create", "cluster", "--name", "another", "--image", NODE_IMAGE,
    ])
}

pub(crate) fn an_ordinary_user_creates_a_cluster(world: &World) {
    let kind = kind(world);
    // As root would have built it.
    let tag = ["tag", NODE_IMAGE, BUILT];
    world.engine.client(&tag).expect("tag");
    let create = ["create", "cluster", "--name", ORDINARY, "--wait", "2m"];
    let created = kind.run(&[&create[..], &["--from", "debian"]].concat());
    assert_eq!(created.code, 0, "{created:#?}");
    assert!(
        created.stderr.contains("only root can build it"),
        "{created:#?}"
    );
    for place in OF_ALL {
        assert_eq!(of_user(place), [""; 0].map(PathBuf::from), "{place}");
    }
    let home = home(world);
    assert_eq!(
        names(&home),
        [".kube", ".kube/config"],
        "nothing else is made"
    );
    let kubeconfig = fs::metadata(kind.kubeconfig()).unwrap();
    assert_eq!(kubeconfig.uid(), User::ORDINARY.id());
    assert_eq!(kubeconfig.permissions().mode() & 0o777, 0o600);
    assert_eq!(names(&directory(world).join("tmp")), [""; 0]);
    let told = |arguments: &[&str]| kind.run(arguments).expect("a list");
    assert_eq!(told(&["get", "clusters"]), format!("{ORDINARY}\n"));
    let nodes = told(&["get", "nodes", "--name", ORDINARY]);
    assert_eq!(nodes, format!("{ORDINARY_NODE}\n"));
    let printed = told(&["get", "kubeconfig", "--name", ORDINARY]);
    let written = fs::read_to_string(kind.kubeconfig()).unwrap();
    assert_eq!(printed, format!("{written}\n"));
    let mut kubectl = User::ORDINARY.command("kubectl");
    kubectl.args(["get", "nodes", "--no-headers"]);
    kubectl
        .env("KUBECONFIG", kind.kubeconfig())
        .env("HOME", home);
    let ready = answer(&mut kubectl, None).expect("get nodes");
    assert!(ready.contains(" Ready "), "{ready}");
}

pub(crate) fn an_ordinary_user_loads_an_archive(world: &World) {
    let kind = kind(world);
    let archive = directory(world).join("sample.tar");
    fs::copy(&world.sample, &archive).unwrap();
    User::ORDINARY.give(&archive);
    let load = ["load", "image-archive", "--name", ORDINARY];
    kind.run(&[&load[..], &[archive.to_str().unwrap()]].concat())
        .expect("load image-archive");
    world.engine.load(&world.sample).unwrap();
    kind.run(&["load", "docker-image", "--name", ORDINARY, SAMPLE])
        .expect("load docker-image");
    let images = ["exec", ORDINARY_NODE, "crictl", "images"];
    let images = world.engine.client(&images).expect("images");
    assert!(images.contains("kind-sample"), "{images}");
}

pub(crate) fn an_ordinary_user_exports_logs(world: &World) {
    let kind = kind(world);
    let named = home(world).join("logs");
    let temporary = directory(world).join("tmp");
    let export = ["export", "logs", "--name", ORDINARY];
    let chosen = kind.run(&export).expect("export logs");
    let chosen = PathBuf::from(chosen.trim());
    assert_eq!(chosen.parent(), Some(temporary.as_path()));
    let mode = fs::metadata(&chosen).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "logs are the user's alone");
    // Twice into the same place.
    for _ in 0..2 {
        kind.run(&[&export[..], &[named.to_str().unwrap()]].concat())
            .expect("export logs");
    }
    let journal = fs::metadata(named.join(ORDINARY_NODE).join("journal.log")).unwrap();
    assert_eq!(journal.uid(), User::ORDINARY.id());
    assert!(journal.len() > 0);
}

pub(crate) fn an_ordinary_user_stops_and_starts_a_cluster(world: &World) {
    let kind = kind(world);
    kind.run(&["stop", "cluster", "--name", ORDINARY])
        .expect("stop cluster");
    let stopped = home(world).join("stopped");
    let export = [
        "export",
        "logs",
        "--name",
        ORDINARY,
        stopped.to_str().unwrap(),
    ];
    let answer = kind.run(&export);
    assert_eq!(answer.code, 1, "{answer:#?}");
    assert!(answer.stderr.contains("no journal of node"), "{answer:#?}");
    assert!(stopped.join(ORDINARY_NODE).join("serial.log").exists());
    kind.run(&["start", "cluster", "--name", ORDINARY])
        .expect("start cluster");
    // The administrator is let in at once.
    kind.ask(&["get", "nodes"]).expect("get nodes");
}

/// The answer of a command that fails, which says all of this, and without which no container is made.
fn refused(world: &World, command: &mut Command, expected: &[&str]) {
    let containers = || world.engine.client(&["ps", "--all", "--quiet"]).stdout;
    let before = containers();
    let answer = answer(command, None);
    assert_eq!(answer.code, 1, "{command:?}: {answer:#?}");
    for words in expected {
        assert!(answer.stderr.contains(words), "{words:?}: {answer:#?}");
    }
    assert_eq!(answer.stderr.matches("ERROR: ").count(), 1, "{answer:#?}");
    assert!(answer.stderr.contains("\n\nhint: "), "{answer:#?}");
    assert_eq!(before, containers());
}

/// A cluster that could not be written into the kubeconfig is not made at all.
pub(crate) fn a_home_that_cannot_be_written_is_told_before_anything_is_made(world: &World) {
    let kind = kind(world);
    let other = directory(world).join("read-only");
    fs::create_dir_all(&other).unwrap();
    let mut create = create(&kind);
    for (home, words) in [
        (other.as_path(), "belongs to root"),
        (
            Path::new("/nonexistent"),
            "mkdir /nonexistent/.kube: Permission denied",
        ),
    ] {
        let words = ["failed to lock config file", words, "--kubeconfig"];
        refused(world, create.env("HOME", home), &words);
    }
    let unset = create.env_remove("HOME");
    let text = answer(unset, None).stderr;
    assert!(text.contains("HOME is not set; use --kubeconfig"), "{text}");
    assert_eq!(names(&other), [""; 0]);
}

/// What needs no kubeconfig needs no home, and neither does what is told where that is.
pub(crate) fn most_commands_need_no_home(world: &World) {
    let kind = kind(world);
    let elsewhere = directory(world).join("tmp/config");
    let elsewhere = elsewhere.to_str().unwrap();
    let read_only = directory(world).join("read-only");
    fs::create_dir_all(&read_only).unwrap();
    for line in [
        "get clusters",
        "get kubeconfig --name ordinary",
        &format!("export kubeconfig --name ordinary --kubeconfig {elsewhere}"),
        &format!("delete cluster --name none --kubeconfig {elsewhere}"),
        "delete cluster --name none",
        "delete clusters none",
        "config schema",
        "completion bash",
        "__complete delete cluster --name o",
        "prune --dry-run --build-cache",
        "version",
    ] {
        let arguments: Vec<_> = line.split(' ').collect();
        for home in [
            Some(read_only.as_path()),
            Some(Path::new("/nonexistent")),
            None,
        ] {
            let mut command = kind.command(&arguments);
            match home {
                Some(home) => command.env("HOME", home),
                None => command.env_remove("HOME"),
            };
            let answer = answer(&mut command, None);
            assert_eq!(answer.code, 0, "{home:?} {line}: {answer:#?}");
        }
    }
    assert_eq!(names(&read_only), [""; 0]);
}

/// Files of root in the user's home, as older programs under `sudo` leave them.
pub(crate) fn what_root_has_left_is_told_or_put_aside(world: &World) {
    let kind = kind(world);
    let (home, kubeconfig) = (home(world), kind.kubeconfig());
    let export = ["export", "kubeconfig", "--name", ORDINARY];
    let succeeds = || kind.run(&export).expect("export kubeconfig");
    for directory in [".cache/kind", ".local/state/kind"] {
        fs::create_dir_all(home.join(directory)).unwrap();
    }
    succeeds();
    // A lock that nobody but root can read.
    let lock = home.join(".kube/config.lock");
    let left = fs::File::create(&lock).unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o000)).unwrap();
    left.set_modified(SystemTime::now() - Duration::from_secs(600))
        .unwrap();
    succeeds();
    assert!(!lock.exists());
    let back = format!("sudo chown -R {0}:{0} ", User::ORDINARY.id());
    for path in [&kubeconfig, &home.join(".kube")] {
        chown(path, Some(0), Some(0)).unwrap();
        let remedy = format!("{back}{}", path.display());
        refused(
            world,
            &mut kind.command(&export),
            &["belongs to root", &remedy],
        );
        refused(world, &mut create(&kind), &["belongs to root"]);
        User::ORDINARY.give(path);
    }
    succeeds();
}

/// What `sudo` does that keeps the user's HOME: what it makes there is the user's.
pub(crate) fn a_kubeconfig_of_sudo_is_the_users(world: &World) {
    let (user, home) = (kind(world), home(world));
    fs::remove_dir_all(home.join(".kube")).unwrap();
    let export = ["export", "kubeconfig", "--name", ORDINARY];
    let mut command = world.kind.command(&export);
    answer(command.env("HOME", &home), None).expect("export kubeconfig");
    for path in [".kube", ".kube/config"] {
        let owner = fs::metadata(home.join(path)).unwrap().uid();
        assert_eq!(owner, User::ORDINARY.id(), "{path}");
    }
    user.run(&export).expect("export kubeconfig");
}

/// Only root can have nodes of the native engine, and build images.
pub(crate) fn what_needs_root_says_so_at_once(world: &World) {
    let kind = kind(world);
    let begun = SystemTime::now();
    for arguments in [&["create", "cluster"][..], &["get", "clusters"]] {
        let mut native = kind.command(&[&["--provider", "native"], arguments].concat());
        let words = ["the native engine needs root", "run kind with sudo"];
        refused(world, &mut native, &words);
    }
    let words = [
        "building a node image needs root",
        "sudo kind --provider docker build",
    ];
    refused(
        world,
        &mut kind.command(&["build", "node-image", "debian"]),
        &words,
    );
    let from = [
        "create", "cluster", "--name", "another", "--from", "v1.33.4",
    ];
    refused(world, &mut kind.command(&from), &words);
    assert!(begun.elapsed().unwrap() < limit(30));
}

pub(crate) fn an_ordinary_user_deletes_a_cluster(world: &World) {
    let kind = kind(world);
    kind.run(&["delete", "cluster", "--name", ORDINARY])
        .expect("delete cluster");
    let kubeconfig = fs::read_to_string(kind.kubeconfig()).unwrap();
    assert!(!kubeconfig.contains(ORDINARY), "{kubeconfig}");
    kind.run(&["prune"]).expect("prune");
    let none = kind.run(&["get", "clusters"]).expect("get clusters");
    assert_eq!(none, "");
    world.engine.client(&["rmi", BUILT]).expect("rmi");
    world.nothing_is_left();
}
