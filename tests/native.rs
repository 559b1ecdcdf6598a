//! The whole way on a bare host: `kind create cluster` on the native engine with a node image built from
//! Debian's packages, real Kubernetes, real pods, real traffic, and nothing left at the end.
//!
//! `cargo xtask test` runs it; it needs root, the programs named by `KIND_BINARY` and `KIND_SAMPLE_IMAGE`,
//! and `kubectl`. The tests run in the order in which they stand and share one cluster.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kind_e2e::{Kind, Traces, eventually};
use libtest_mimic::{Arguments, Failed, Trial};

const NODE: &str = "e2e-control-plane";

type Test = fn(&World);

/// The tests by their names.
macro_rules! named {
    ($($test:ident),* $(,)?) => { [$((stringify!($test), $test as Test)),*] };
}

const TESTS: [(&str, Test); 18] = named![
    errors_leave_nothing_behind,
    a_host_without_nft_is_told_so,
    a_full_disk_is_told_before_anything_is_made,
    create_reports_every_phase,
    the_node_is_ready,
    every_pod_of_kube_system_runs,
    kubeconfig_commands_agree,
    pods_answer_by_dns_name,
    the_host_reaches_a_node_port,
    dns_knows_services_and_pods,
    a_volume_outlives_its_pod,
    logs_exec_and_port_forward_work,
    logs_are_exported,
    an_interrupted_create_cleans_up,
    a_killed_create_can_be_deleted,
    of_two_creates_at_once_one_wins,
    a_dead_cluster_can_be_deleted,
    a_second_create_builds_nothing,
];

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let world = World::from_environment().map(Arc::new);
    let trials = TESTS.map(|(name, test)| {
        let world = world.clone();
        let ready = world.is_some();
        let run = move || world.map_or(Ok(()), |world| caught(|| test(&world)));
        Trial::test(name, run).with_ignored_flag(!ready)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.into());
    let clean = world
        .as_deref()
        .map_or(Ok(()), |world| caught(|| world.end()));
    if let Err(failure) = &clean {
        let message = failure.message().unwrap_or("unknown");
        let _ = writeln!(std::io::stderr(), "the host is not as it was: {message}");
    }
    drop(world);
    conclusion.exit_if_failed();
    if clean.is_err() {
        std::process::exit(101);
    }
}

fn caught(test: impl FnOnce()) -> Result<(), Failed> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(test)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Failed::from(text.unwrap_or("the test failed"))
    })
}

/// What the tests share.
struct World {
    kind: Kind,
    sample: PathBuf,
    directory: tempfile::TempDir,
    /// The host before the first cluster.
    before: Traces,
    /// Port of the host that leads to the sample app.
    port: u16,
}

impl World {
    fn from_environment() -> Option<Self> {
        let kind = PathBuf::from(std::env::var_os("KIND_BINARY")?);
        let sample = PathBuf::from(std::env::var_os("KIND_SAMPLE_IMAGE")?);
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Some(Self {
            kind: Kind::new(kind, directory.path()),
            sample,
            before: Traces::of_host(),
            directory,
            port,
        })
    }

    fn config(&self) -> PathBuf {
        let path = self.directory.path().join("cluster.yaml");
        let text = format!(
            "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: e2e\nnodes:\n- role: control-plane\n  \
             extraPortMappings:\n  - containerPort: 30080\n    hostPort: {}\n    listenAddress: 127.0.0.1\n",
            self.port
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn create(&self) -> kind_e2e::Answer {
        let config = self.config();
        let config = config.to_str().unwrap();
        self.kind.run(&[
            "create", "cluster", "--from", "debian", "--wait", "2m", "--config", config,
        ])
    }

    /// Whatever happened, no cluster stays, and nothing that one made.
    fn end(&self) {
        for name in ["e2e", "interrupted"] {
            self.kind
                .run(&["delete", "cluster", "--name", name])
                .expect("delete cluster");
        }
        self.nothing_is_left();
    }

    fn nothing_is_left(&self) {
        // The kernel takes a moment to end the namespaces of dead processes.
        eventually("the host is as before", 10, || {
            let left = Traces::of_host();
            match left.since(&self.before).as_slice() {
                [] => Ok(()),
                left => Err(left.join("\n")),
            }
        });
        for directory in ["nodes", "networks", "trash"] {
            let left: Vec<_> = fs::read_dir(self.kind.state().join(directory))
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

fn errors_leave_nothing_behind(world: &World) {
    for (arguments, expected) in [
        (
            &["create", "cluster", "--from", "no-such-source"][..],
            "no-such-source",
        ),
        (
            &["create", "cluster", "--image", "nowhere.example/none:v1"],
            "nowhere.example/none:v1",
        ),
        (
            &["create", "cluster", "--name", "Not_Valid"],
            "'Not_Valid' is not a valid cluster name",
        ),
        (
            &["get", "kubeconfig", "--name", "none"],
            "could not locate any control plane nodes for cluster named 'none'",
        ),
    ] {
        let answer = world.kind.run(arguments);
        assert_eq!(answer.code, 1, "{arguments:?}: {answer:#?}");
        assert!(
            answer.stderr.contains(expected),
            "{arguments:?}: {answer:#?}"
        );
    }
    let none = world.kind.run(&["get", "clusters"]);
    assert_eq!(
        (none.code, none.stdout.as_str(), none.stderr.as_str()),
        (0, "", "No kind clusters found.\n")
    );
    world
        .kind
        .run(&["delete", "cluster", "--name", "none"])
        .expect("deleting what is not there");
    world.nothing_is_left();
}

fn a_host_without_nft_is_told_so(world: &World) {
    let mut command = world
        .kind
        .command(&["create", "cluster", "--from", "debian"]);
    let output = command
        .env("PATH", world.directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("the program `nft` was not found"), "{text}");
    assert!(text.contains("install the package `nftables`"), "{text}");
    world.nothing_is_left();
}

/// A state directory of 64 MiB: less than any cluster needs.
fn a_full_disk_is_told_before_anything_is_made(world: &World) {
    let small = world.directory.path().join("small");
    fs::create_dir(&small).unwrap();
    let mount = [
        "-t",
        "tmpfs",
        "-o",
        "size=64m",
        "none",
        small.to_str().unwrap(),
    ];
    assert!(
        Command::new("mount")
            .args(mount)
            .status()
            .unwrap()
            .success()
    );
    let mut command = world
        .kind
        .command(&["create", "cluster", "--from", "debian"]);
    let output = command.env("KIND_STATE_DIR", &small).output().unwrap();
    assert!(
        Command::new("umount")
            .arg(&small)
            .status()
            .unwrap()
            .success()
    );
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("MiB are free below"), "{text}");
    world.nothing_is_left();
}

fn create_reports_every_phase(world: &World) {
    let answer = world.create();
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert_eq!(answer.stdout, "", "stdout is for results");
    for line in [
        "Creating cluster \"e2e\" ...\n",
        " ✓ Preparing nodes 📦 \n",
        " ✓ Writing configuration 📜\n",
        " ✓ Starting control-plane 🕹️\n",
        " ✓ Installing CNI 🔌\n",
        " ✓ Installing StorageClass 💾\n",
        " • Ready after ",
        "Set kubectl context to \"kind-e2e\"\n",
        "kubectl cluster-info --context kind-e2e\n",
    ] {
        assert!(
            answer.stderr.contains(line),
            "{line:?} is missing in:\n{}",
            answer.stderr
        );
    }
    let again = world.create();
    assert_eq!(again.code, 1);
    let expected = "ERROR: failed to create cluster: node(s) already exist for a cluster with the name \"e2e\"";
    assert!(again.stderr.contains(expected), "{again:#?}");
}

fn the_node_is_ready(world: &World) {
    let nodes = world
        .kind
        .ask(&["get", "nodes", "--no-headers"])
        .expect("get nodes");
    let words: Vec<_> = nodes.split_whitespace().collect();
    assert_eq!(words[..2], [NODE, "Ready"], "{nodes}");
    assert_eq!(
        world
            .kind
            .run(&["get", "nodes", "--name", "e2e"])
            .expect("kind get nodes"),
        format!("{NODE}\n")
    );
    assert_eq!(
        world
            .kind
            .run(&["get", "clusters"])
            .expect("kind get clusters"),
        "e2e\n"
    );
    let path = "jsonpath={.items[0].spec.providerID}";
    assert_eq!(
        world
            .kind
            .ask(&["get", "nodes", "-o", path])
            .expect("providerID"),
        format!("kind://native/e2e/{NODE}")
    );
}

fn every_pod_of_kube_system_runs(world: &World) {
    eventually("every pod runs and is ready", 90, || {
        let pods = world
            .kind
            .ask(&["get", "pods", "--all-namespaces", "--no-headers"]);
        // The kubelet of Kubernetes 1.20 tells of its static pods' readiness up to a minute late.
        let healthy = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            let ready = words[2]
                .split_once('/')
                .is_some_and(|(ready, all)| ready == all);
            let is_static = words[1].ends_with(NODE);
            words[3] == "Completed" || (words[3] == "Running" && (ready || is_static))
        };
        let enough = pods.stdout.lines().count() >= 8;
        if enough && pods.stdout.lines().all(healthy) {
            Ok(())
        } else {
            Err(pods)
        }
    });
}

fn kubeconfig_commands_agree(world: &World) {
    let written = fs::read_to_string(world.kind.kubeconfig()).unwrap();
    let printed = world
        .kind
        .run(&["get", "kubeconfig", "--name", "e2e"])
        .expect("get kubeconfig");
    assert_eq!(printed, format!("{written}\n"));
    let internal = world
        .kind
        .run(&["get", "kubeconfig", "--name", "e2e", "--internal"])
        .expect("get kubeconfig");
    assert!(
        internal.contains(&format!("server: https://{NODE}:6443")),
        "{internal}"
    );
    let other = world.directory.path().join("exported");
    let arguments = [
        "export",
        "kubeconfig",
        "--name",
        "e2e",
        "--kubeconfig",
        other.to_str().unwrap(),
    ];
    let exported = world.kind.run(&arguments);
    assert_eq!(exported.stderr, "Set kubectl context to \"kind-e2e\"\n");
    assert_eq!(fs::read_to_string(&other).unwrap(), written);
}

fn pods_answer_by_dns_name(world: &World) {
    let archive = world.sample.to_str().unwrap();
    world
        .kind
        .run(&["load", "image-archive", "--name", "e2e", archive])
        .expect("load image-archive");
    world.kind.apply(include_str!("../xtask/src/sample.yaml"));
    world.kind.apply(CLIENT);
    for arguments in [
        &["rollout", "status", "--timeout=90s", "deployment/sample"][..],
        &[
            "wait",
            "--for=condition=Ready",
            "--timeout=90s",
            "pod/client",
        ],
    ] {
        world.kind.ask(arguments).expect("pods start");
    }
    let mut seen = std::collections::BTreeSet::new();
    eventually("both pods answer by the service's name", 30, || {
        let answer = world.kind.shell(
            "client",
            r"printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 2 sample.default.svc.cluster.local 80",
        );
        if let Some(page) = answer.stdout.split("Hello from pod sample-").nth(1) {
            seen.insert(page.to_owned());
        }
        if seen.len() == 2 { Ok(()) } else { Err(answer) }
    });
}

const CLIENT: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: client
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: client
    image: docker.io/library/kind-sample:v1
    imagePullPolicy: Never
    command: [/bin/sh, -c, 'echo client is up; sleep 100000']
";

fn the_host_reaches_a_node_port(world: &World) {
    eventually("the host gets an answer", 30, || {
        let answer = get(world.port);
        match &answer {
            Ok(text) if text.contains("Hello from pod sample-") => Ok(()),
            _ => Err(answer),
        }
    });
}

fn get(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn dns_knows_services_and_pods(world: &World) {
    let resolves = |name: &str| world.kind.shell("client", &format!("nslookup {name}"));
    let api = resolves("kubernetes.default.svc.cluster.local").expect("the API server's name");
    assert!(api.contains("10.96.0.1"), "{api}");
    let path = "jsonpath={.status.podIP}";
    let address = world
        .kind
        .ask(&["get", "pod", "client", "-o", path])
        .expect("pod address");
    let name = format!("{}.default.pod.cluster.local", address.replace('.', "-"));
    assert!(resolves(&name).expect("a pod's name").contains(&address));
    let unknown = resolves("no-such-service.default.svc.cluster.local");
    assert_ne!(unknown.code, 0, "{unknown:?}");
}

const CLAIM: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 16Mi
";

/// A pod with the claim that writes once and shows what it finds.
fn writer(name: &str, script: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  \
         terminationGracePeriodSeconds: 0\n  volumes:\n  - name: data\n    persistentVolumeClaim:\n      \
         claimName: data\n  containers:\n  - name: main\n    image: docker.io/library/kind-sample:v1\n    \
         imagePullPolicy: Never\n    command: [/bin/sh, -c, '{script}']\n    volumeMounts:\n    \
         - name: data\n      mountPath: /data\n"
    )
}

fn a_volume_outlives_its_pod(world: &World) {
    world.kind.apply(CLAIM);
    let finished = |name: &str| {
        eventually("the pod ends well", 60, || {
            let phase = world
                .kind
                .ask(&["get", "pod", name, "-o", "jsonpath={.status.phase}"]);
            if phase.stdout == "Succeeded" {
                Ok(())
            } else {
                Err(phase)
            }
        });
    };
    world.kind.apply(&writer("first", "echo kept > /data/file"));
    finished("first");
    let phase = world
        .kind
        .ask(&["get", "pvc", "data", "-o", "jsonpath={.status.phase}"]);
    assert_eq!(phase.expect("get pvc"), "Bound");
    world
        .kind
        .ask(&["delete", "pod", "first"])
        .expect("delete pod");
    world.kind.apply(&writer("second", "cat /data/file"));
    finished("second");
    assert_eq!(world.kind.ask(&["logs", "second"]).expect("logs"), "kept\n");
    world
        .kind
        .ask(&["delete", "pod/second", "pvc/data"])
        .expect("delete");
    eventually("the volume is reclaimed", 30, || {
        let volumes = world.kind.ask(&["get", "pv", "--no-headers"]);
        if volumes.stdout.is_empty() {
            Ok(())
        } else {
            Err(volumes)
        }
    });
}

fn logs_exec_and_port_forward_work(world: &World) {
    assert_eq!(
        world.kind.ask(&["logs", "client"]).expect("logs"),
        "client is up\n"
    );
    let answer = world.kind.shell("client", "echo out; echo err >&2; exit 3");
    assert_eq!((answer.code, answer.stdout.as_str()), (3, "out\n"));
    assert!(answer.stderr.starts_with("err\n"), "{answer:?}");
    let mut command = world
        .kind
        .kubectl(&["port-forward", "service/sample", ":80"]);
    let mut forward = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Kept open: kubectl ends when it cannot write any more.
    let mut stdout = std::io::BufReader::new(forward.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let port = line
        .split("127.0.0.1:")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .map(str::parse);
    let result = port.unwrap().map(get).unwrap();
    forward.kill().unwrap();
    forward.wait().unwrap();
    assert!(result.unwrap().contains("Hello from pod sample-"));
}

fn logs_are_exported(world: &World) {
    let target = world.directory.path().join("logs");
    let answer = world
        .kind
        .run(&["export", "logs", "--name", "e2e", target.to_str().unwrap()]);
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert_eq!(answer.stdout.trim(), target.to_str().unwrap());
    for file in [
        "kind-version.txt",
        "serial.log",
        "journal.log",
        "kubelet.log",
        "containerd.log",
        "kubernetes-version.txt",
    ] {
        let inside = target.join(NODE).join(file);
        let path = if file == "kind-version.txt" {
            target.join(file)
        } else {
            inside
        };
        assert!(
            fs::metadata(&path).is_ok_and(|file| file.len() > 0),
            "{} is missing",
            path.display()
        );
    }
    assert!(target.join(NODE).join("pods").is_dir());
}

/// Ctrl-C while a second cluster is being made: it goes, the first stays.
fn an_interrupted_create_cleans_up(world: &World) {
    let mut child = world.kind.spawn(&[
        "create",
        "cluster",
        "--name",
        "interrupted",
        "--from",
        "debian",
    ]);
    let made = world
        .kind
        .state()
        .join("nodes/interrupted-control-plane/run.json");
    eventually("the node runs", 60, || {
        if made.exists() { Ok(()) } else { Err(()) }
    });
    std::thread::sleep(Duration::from_secs(1));
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    let deadline = Instant::now() + Duration::from_secs(15);
    while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = child.try_wait().unwrap();
    let _ = child.kill();
    assert_eq!(status.and_then(|status| status.code()), Some(130));
    assert_eq!(
        world.kind.run(&["get", "clusters"]).expect("get clusters"),
        "e2e\n"
    );
    assert!(
        !fs::read_to_string(world.kind.kubeconfig())
            .unwrap()
            .contains("kind-interrupted")
    );
}

/// `kill -9` of the command in the middle: the next one can still clean up.
fn a_killed_create_can_be_deleted(world: &World) {
    let arguments = [
        "create",
        "cluster",
        "--name",
        "interrupted",
        "--from",
        "debian",
    ];
    let mut child = world.kind.spawn(&arguments);
    let made = world
        .kind
        .state()
        .join("nodes/interrupted-control-plane/run.json");
    eventually("the node runs", 60, || {
        if made.exists() { Ok(()) } else { Err(()) }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        world.kind.run(&["get", "clusters"]).expect("get clusters"),
        "e2e\ninterrupted\n"
    );
    let arguments = ["delete", "cluster", "--name", "interrupted"];
    world.kind.run(&arguments).expect("delete cluster");
    assert_eq!(
        world.kind.run(&["get", "clusters"]).expect("get clusters"),
        "e2e\n"
    );
}

/// Two commands for the same cluster: one makes it, the other says that it exists and harms nothing.
fn of_two_creates_at_once_one_wins(world: &World) {
    let arguments = [
        "create",
        "cluster",
        "--name",
        "interrupted",
        "--from",
        "debian",
        "--wait",
        "2m",
    ];
    let children = [world.kind.spawn(&arguments), world.kind.spawn(&arguments)];
    let outputs = children.map(|child| child.wait_with_output().unwrap());
    let mut codes: Vec<_> = outputs.iter().map(|output| output.status.code()).collect();
    codes.sort();
    assert_eq!(codes, [Some(0), Some(1)], "{outputs:#?}");
    let context = [
        "--context",
        "kind-interrupted",
        "get",
        "nodes",
        "--no-headers",
    ];
    assert!(
        world
            .kind
            .ask(&context)
            .expect("get nodes")
            .contains(" Ready ")
    );
    let arguments = ["delete", "cluster", "--name", "interrupted"];
    world.kind.run(&arguments).expect("delete cluster");
    // The first cluster's context is the current one again for the tests to come.
    world
        .kind
        .run(&["export", "kubeconfig", "--name", "e2e"])
        .expect("export kubeconfig");
}

/// As after a power cut: every process of the node is gone, and with them its namespaces and mounts.
fn a_dead_cluster_can_be_deleted(world: &World) {
    let run = fs::read(world.kind.state().join("nodes").join(NODE).join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_slice(&run).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", run["pid"])).unwrap();
    let monitor = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap()
        .trim();
    assert!(
        Command::new("kill")
            .args(["-KILL", monitor])
            .status()
            .unwrap()
            .success()
    );
    let process = format!("/proc/{}", run["pid"]);
    eventually("the node's end", 20, || {
        if Path::new(&process).exists() {
            Err(())
        } else {
            Ok(())
        }
    });
    assert_eq!(
        world.kind.run(&["get", "clusters"]).expect("get clusters"),
        "e2e\n"
    );
    let answer = world.kind.run(&["delete", "cluster", "--name", "e2e"]);
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert_eq!(
        answer.stderr,
        format!("Deleting cluster \"e2e\" ...\nDeleted nodes: [\"{NODE}\"]\n")
    );
    assert!(
        !fs::read_to_string(world.kind.kubeconfig())
            .unwrap()
            .contains("kind-e2e")
    );
    world.nothing_is_left();
}

/// The first create may have built the image; this one must only make a cluster.
fn a_second_create_builds_nothing(world: &World) {
    let answer = world.create();
    assert_eq!(answer.code, 0, "{answer:#?}");
    for step in ["Compiling", "Installing the node", "Preloading"] {
        assert!(!answer.stderr.contains(step), "{}", answer.stderr);
    }
    let ready = world
        .kind
        .ask(&["get", "nodes", "--no-headers"])
        .expect("get nodes");
    assert!(ready.contains(" Ready "), "{ready}");
    world
        .kind
        .run(&["delete", "cluster", "--name", "e2e"])
        .expect("delete cluster");
    world.nothing_is_left();
}
