//! The native engine on the real kernel: nodes made of a static busybox.
//!
//! The test program is its own helper, so it has its own `main`. Needs root, busybox and nft.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::time::{Duration, Instant};

use kind_config::ResourceLimits;
use kind_engine::native::{Native, NativeOptions};
use kind_engine::{
    CLUSTER_LABEL, Code, Command, Engine, Error, HostMount, Io, NetworkSpec, Node, NodeSpec, Port,
    Propagation, Protocol, Purpose, State,
};
use kind_image::oci::{ImageConfig, Platform, RunConfig};
use kind_image::registry::{self, Access, LayerForm};
use kind_image::store::Placement;
use kind_testkit::machine::require_root;
use kind_testkit::registry::Registry;
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::thread::LinkNameSpaceType;

const IMAGE: &str = "test/busybox:latest";
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SNAPSHOT: &str = "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs";
/// What the nodes run first.
const SCRIPT: &str = "echo booted on $(tty); trap 'echo asked to stop; exit 7' 37; \
                      while :; do sleep 0.1; done";
const APPLETS: [&str; 17] = [
    "sh", "cat", "echo", "sleep", "nc", "hostname", "id", "tty", "httpd", "touch", "ls", "true",
    "stat", "wc", "mkdir", "readlink", "grep",
];

type Test = fn(&Host);

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = kind_engine::native::helper_main(&arguments) {
        std::process::exit(code);
    }
    let mut arguments = Arguments::from_args();
    // The tests compare what is on the host before and after.
    arguments.test_threads = Some(1);
    let tests: [(&str, Test); 20] = [
        ("a_node_lives_and_leaves_nothing", lives_and_leaves_nothing),
        (
            "commands_have_streams_and_exit_codes",
            streams_and_exit_codes,
        ),
        ("a_command_can_have_a_terminal", terminal),
        ("files_go_in_and_out", files_go_in_and_out),
        ("nodes_reach_each_other_by_name", nodes_reach_each_other),
        ("published_ports_answer", published_ports_answer),
        ("a_load_balancer_is_not_root", load_balancer),
        ("a_taken_port_names_its_owner", taken_port),
        ("a_route_that_came_later_is_named", route_that_came_later),
        (
            "addresses_are_taken_before_a_node_starts",
            reserved_addresses,
        ),
        ("host_directories_are_shown", host_directories),
        ("a_node_sees_its_limits", limits),
        ("stopping_asks_first", stopping_asks_first),
        ("a_killed_monitor_takes_its_node_along", killed_monitor),
        (
            "a_node_that_is_removed_while_it_starts_leaves_nothing",
            removed_while_it_starts,
        ),
        ("a_monitor_leaves_its_callers_cgroups", monitor_cgroups),
        ("many_at_once_get_addresses_of_their_own", many_at_once),
        ("an_image_snapshot_is_shared_read_only", shared_snapshot),
        ("an_image_of_a_registry_is_run", image_of_a_registry),
        ("a_creation_in_vain_lets_go_of_nothing", creation_in_vain),
    ];
    let trials = tests.map(|(name, test)| Trial::test(name, move || run(test)));
    libtest_mimic::run(&arguments, trials.into()).exit();
}

fn run(test: Test) -> Result<(), Failed> {
    require_root();
    let before = Traces::of_host();
    let host = Host::new();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&host)));
    drop(host);
    let after = Traces::of_host();
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| "the test failed".to_owned())
    })?;
    if before != after {
        return Err(format!("the host changed:\n{before:#?}\n{after:#?}").into());
    }
    Ok(())
}

/// What nodes leave on a host if anything goes wrong.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    mounts: Vec<String>,
    links: Vec<String>,
    cgroups: Vec<PathBuf>,
    rules: String,
    /// Whether the host's links forward packets.
    forwarding: Vec<String>,
}

impl Traces {
    fn of_host() -> Self {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut mounts: Vec<_> = table.lines().map(str::to_owned).collect();
        mounts.sort();
        let names = fs::read_dir("/sys/class/net").unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut links: Vec<_> = names.collect();
        links.sort();
        let search = ["/sys/fs/cgroup", "-path", "*/kind*", "-type", "d"];
        let cgroups = output("find", &search).lines().map(PathBuf::from).collect();
        // Without counters, which change on their own.
        let rules = output("nft", &["--stateless", "list", "ruleset"]);
        let switches = ["all", "default", "lo"]
            .map(|link| format!("/proc/sys/net/ipv4/conf/{link}/forwarding"));
        let forwarding = switches.map(|switch| fs::read_to_string(switch).unwrap());
        Self {
            mounts,
            links,
            cgroups,
            rules,
            forwarding: forwarding.into(),
        }
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Program::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// An engine with a state directory and a network of its own.
struct Host {
    engine: Native,
    network: String,
    directory: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let engine = Native::open_state(NativeOptions {
            state_dir: directory.path().join("state"),
            helper: std::env::current_exe().unwrap(),
            environment: BTreeMap::new(),
        })
        .unwrap();
        engine.info().unwrap();
        let network = format!("t{}", std::process::id());
        let host = Self {
            engine,
            network,
            directory,
        };
        host.make_image("seed");
        let name = host.network.clone();
        let spec = NetworkSpec { name };
        host.engine.ensure_network(&spec).unwrap();
        host
    }

    /// Makes the image, with this in a file.
    fn make_image(&self, seed: &str) {
        let root = self.directory.path().join("root");
        for name in [
            "bin",
            "host-escape",
            "etc",
            "proc",
            "tmp",
            "usr",
            "var/spool",
            "var/empty",
            SNAPSHOT,
        ] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        fs::write(root.join("var/spool/seed"), seed).unwrap();
        fs::write(root.join(SNAPSHOT).join("big"), "unpacked").unwrap();
        fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        // An absolute link that must not lead mounts to the host.
        symlink("/host-escape", root.join("lib")).unwrap();
        let config = RunConfig {
            env: Some(vec!["FROM_IMAGE=yes".to_owned()]),
            entrypoint: Some(vec!["/bin/sh".to_owned(), "-c".to_owned()]),
            cmd: Some(vec![SCRIPT.to_owned()]),
            ..RunConfig::default()
        };
        let config = ImageConfig {
            architecture: Platform::of_host().architecture,
            os: "linux".to_owned(),
            config,
            ..ImageConfig::default()
        };
        let mut draft = self.engine.images().draft().unwrap();
        draft.add_directory(&root, Placement::Move).unwrap();
        draft.commit(config, &[IMAGE.parse().unwrap()]).unwrap();
    }

    fn spec(&self, name: &str) -> NodeSpec {
        NodeSpec {
            name: name.to_owned(),
            image: IMAGE.to_owned(),
            network: self.network.clone(),
            labels: BTreeMap::from([(CLUSTER_LABEL.to_owned(), "test".to_owned())]),
            ..NodeSpec::default()
        }
    }

    fn boot(&self, spec: &NodeSpec) {
        self.engine.create(spec).unwrap();
        self.engine.start(&spec.name).unwrap();
    }

    /// Runs a shell command in a node: its exit code and output.
    fn shell(&self, node: &str, script: &str) -> (i32, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let command = Command::new(["/bin/sh", "-c", script]);
        let io = Io::new(None, &mut out, &mut err);
        let code = self.engine.exec(node, &command, io).unwrap();
        out.extend(err);
        (code, String::from_utf8(out).unwrap().trim().to_owned())
    }

    fn node(&self, name: &str) -> Node {
        let nodes = self.engine.list(Some("test")).unwrap();
        nodes.into_iter().find(|node| node.name == name).unwrap()
    }

    fn log(&self, name: &str) -> String {
        let mut log = Vec::new();
        self.engine.logs(name, false, &mut log).unwrap();
        String::from_utf8(log).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let nodes = self.engine.list(None).unwrap();
        let nodes: Vec<_> = nodes.into_iter().map(|node| node.name).collect();
        self.engine.remove(&nodes).unwrap();
    }
}

fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !check() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lives_and_leaves_nothing(host: &Host) {
    let spec = host.spec("one");
    host.engine.create(&spec).unwrap();
    assert_eq!(host.node("one").state, State::Created);
    assert_eq!(
        host.engine.create(&spec).unwrap_err().code(),
        Code::NodeExists
    );
    host.engine.start("one").unwrap();
    assert_eq!(host.node("one").state, State::Running);
    assert_eq!(
        host.engine.start("one").unwrap_err().code(),
        Code::NodeRunning
    );
    eventually("the first line", || {
        host.log("one").contains("booted on /dev/console")
    });
    host.engine
        .remove(&["one".to_owned(), "never-made".to_owned()])
        .unwrap();
    assert!(host.engine.list(None).unwrap().is_empty());
    assert_eq!(
        host.engine.start("one").unwrap_err().code(),
        Code::NodeMissing
    );
}

fn streams_and_exit_codes(host: &Host) {
    host.boot(&host.spec("one"));
    assert_eq!(
        host.shell("one", "echo hello; exit 3"),
        (3, "hello".to_owned())
    );
    assert_eq!(host.shell("one", "hostname; id -u").1, "one\n0");
    assert_eq!(host.shell("one", "echo $FROM_IMAGE $HOSTNAME").1, "yes one");
    // A command sees the node's processes, and is one of them.
    assert_eq!(
        host.shell("one", "grep -c booted /proc/1/cmdline; test -d /proc/$$"),
        (0, "1".to_owned())
    );
    let (mut input, mut out, mut err): (&[u8], _, _) = (&[b'x'; 1 << 20], Vec::new(), Vec::new());
    let io = Io::new(Some(&mut input), &mut out, &mut err);
    assert_eq!(
        host.engine
            .exec("one", &Command::new(["wc", "-c"]), io)
            .unwrap(),
        0
    );
    assert_eq!(String::from_utf8(out).unwrap().trim(), "1048576");
    let mut nothing = Vec::new();
    let io = Io::new(None, &mut nothing, &mut err);
    assert_eq!(
        host.engine
            .exec("one", &Command::new(["no-such-program"]), io)
            .unwrap(),
        127
    );
    assert!(String::from_utf8_lossy(&err).contains("no-such-program"));
}

fn terminal(host: &Host) {
    host.boot(&host.spec("one"));
    let script = "tty && read line && echo got $line && exit 5";
    let command = Command {
        tty: true,
        ..Command::new(["/bin/sh", "-c", script])
    };
    let (mut input, mut out, mut err): (&[u8], _, _) = (b"typed\n", Vec::new(), Vec::new());
    let io = Io::new(Some(&mut input), &mut out, &mut err);
    let code = host.engine.exec("one", &command, io).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(code, 5, "{out}");
    assert!(
        out.contains("/dev/pts/") && out.contains("got typed"),
        "{out}"
    );
}

fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in [("etc/made/key", "secret"), ("var/made", "data")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        builder
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

fn file_of(host: &Host, path: &str) -> String {
    let mut tar = Vec::new();
    host.engine
        .copy_out("one", Path::new(path), &mut tar)
        .unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    let mut text = String::new();
    entry.read_to_string(&mut text).unwrap();
    text
}

fn files_go_in_and_out(host: &Host) {
    let root = Path::new("/");
    host.engine.create(&host.spec("one")).unwrap();
    host.engine
        .copy_in("one", root, &mut archive().as_slice())
        .unwrap();
    assert_eq!(file_of(host, "/etc/made/key"), "secret");
    assert_eq!(file_of(host, "/var/spool/seed"), "seed");
    host.engine.start("one").unwrap();
    let script = "cat /etc/made/key /var/made; stat -c %a /etc/made/key";
    assert_eq!(host.shell("one", script).1, "secretdata600");
    host.shell("one", "echo -n new > /etc/made/key; touch /var/touched");
    assert_eq!(file_of(host, "/etc/made/key"), "new");
    host.engine
        .copy_in("one", root, &mut archive().as_slice())
        .unwrap();
    let script = "cat /etc/made/key; ls /var";
    assert_eq!(
        host.shell("one", script).1,
        "secretempty\nlib\nmade\nspool\ntouched"
    );
    let missing = host
        .engine
        .copy_out("one", Path::new("/none"), &mut Vec::new());
    assert!(missing.unwrap_err().to_string().contains("/none"));
}

fn nodes_reach_each_other(host: &Host) {
    host.boot(&host.spec("one"));
    host.boot(&host.spec("two"));
    host.shell(
        "two",
        "mkdir -p /tmp/www; echo pong > /tmp/www/index.html; httpd -p 777 -h /tmp/www",
    );
    let request = "echo 'GET / HTTP/1.0' | { cat; echo; } | nc -w 2 two 777";
    eventually("an answer", || {
        host.shell("one", request).1.contains("pong")
    });
    assert_eq!(
        host.shell("one", "cat /proc/sys/net/ipv4/ip_forward").1,
        "1"
    );
}

/// What faces published ports cannot change the kernel, nor anything of its container but its own files.
fn load_balancer(host: &Host) {
    let can = "test -w $f && echo $f";
    let script = format!(
        "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /etc /kind /kind/load-balancer.json; do {can}; done; \
         grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status; echo end; while :; do sleep 0.1; done"
    );
    let spec = NodeSpec {
        purpose: Purpose::LoadBalancer,
        command: Some(["/bin/sh", "-c", &script].map(str::to_owned).into()),
        ..host.spec("one")
    };
    host.engine.create(&spec).unwrap();
    copy_settings(host);
    host.engine.start("one").unwrap();
    eventually("the last line", || host.log("one").contains("end"));
    let none = "0".repeat(16);
    let mut expected = vec!["/kind".to_owned(), "/kind/load-balancer.json".to_owned()];
    let ids = ["65532"; 4].join("\t");
    expected.extend([
        format!("Uid:\t{ids}"),
        format!("Gid:\t{ids}"),
        "Groups:\t ".to_owned(),
    ]);
    let sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    expected.extend(sets.map(|set| format!("{set}:\t{none}")));
    expected.extend(["NoNewPrivs:\t1", "Seccomp:\t2", "end"].map(str::to_owned));
    let log = host.log("one");
    let lines: Vec<_> = log
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .collect();
    assert_eq!(lines, expected);
    // Whoever else gets in as root cannot either.
    for path in [
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/sys/kernel/mm/ksm/run",
    ] {
        let script = format!("if test -e {path}; then echo 0 >> {path}; else false; fi");
        assert_ne!(host.shell("one", &script).0, 0, "{path}");
    }
    // What comes later is its own too.
    copy_settings(host);
    assert_eq!(
        host.shell("one", "stat -c %u:%a /kind/load-balancer.json")
            .1,
        "65532:600"
    );
}

fn copy_settings(host: &Host) {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    let name = "kind/load-balancer.json";
    tar.append_data(&mut header, name, &b"{}"[..]).unwrap();
    let tar = tar.into_inner().unwrap();
    let copied = host
        .engine
        .copy_in("one", Path::new("/"), &mut tar.as_slice());
    copied.unwrap();
}

fn published_ports_answer(host: &Host) {
    let mut spec = host.spec("one");
    spec.host.ports = vec![
        Port::new(LOCALHOST, 0, 80, Protocol::Tcp),
        Port::new(LOCALHOST, 0, 53, Protocol::Udp),
    ];
    host.boot(&spec);
    let ports = host.node("one").ports;
    assert!(ports.iter().all(|port| port.host != 0));
    host.shell(
        "one",
        "mkdir -p /tmp/www; echo served > /tmp/www/index.html; httpd -p 80 -h /tmp/www",
    );
    let echo = udp_socket_in(host, "one", 53);
    std::thread::spawn(move || {
        let mut buffer = [0; 16];
        while let Ok((length, client)) = echo.recv_from(&mut buffer) {
            echo.send_to(&buffer[..length], client).unwrap();
        }
    });
    eventually("an answer over TCP", || {
        let mut stream = TcpStream::connect((LOCALHOST, ports[0].host)).unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).is_ok() && answer.ends_with("served\n")
    });
    let socket = UdpSocket::bind((LOCALHOST, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    eventually("an answer over UDP", || {
        socket.send_to(b"ping", (LOCALHOST, ports[1].host)).unwrap();
        socket.recv(&mut [0; 16]).is_ok_and(|length| length == 4)
    });
}

fn taken_port(host: &Host) {
    let listener = TcpListener::bind((LOCALHOST, 0)).unwrap();
    let number = listener.local_addr().unwrap().port();
    let mut spec = host.spec("one");
    spec.host.ports = vec![Port::new(LOCALHOST, number, 80, Protocol::Tcp)];
    let error = host.engine.create(&spec).unwrap_err();
    assert_eq!(error.code(), Code::PortTaken);
    // Nobody is told to end the very program that tells.
    assert!(!error.to_string().contains("pid "), "{error}");
    assert!(host.engine.list(None).unwrap().is_empty());
    // A node that does not run keeps its port.
    drop(listener);
    host.engine.create(&spec).unwrap();
    let mut other = host.spec("two");
    other.host = spec.host;
    assert!(
        host.engine
            .create(&other)
            .unwrap_err()
            .to_string()
            .contains("node one")
    );
}

/// As if a VPN had come up between two boots of the host.
fn route_that_came_later(host: &Host) {
    host.engine.create(&host.spec("one")).unwrap();
    let address = host.node("one").ipv4.unwrap();
    let route = format!("{address}/32");
    let change = |verb| {
        let arguments = ["route", verb, &route, "dev", "lo"];
        assert!(
            Program::new("ip")
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
    };
    change("add");
    let refused = host.engine.start("one").unwrap_err();
    change("del");
    assert_eq!(refused.code(), Code::SubnetRouted);
    assert!(refused.to_string().contains(&route), "{refused}");
    host.engine.start("one").unwrap();
}

/// A `kind` with another state directory looks for free addresses meanwhile.
fn reserved_addresses(host: &Host) {
    host.engine.create(&host.spec("one")).unwrap();
    let other = Host::new();
    other.engine.create(&other.spec("two")).unwrap();
    let subnets = [host.node("one"), other.node("two")].map(|node| {
        let octets = node.ipv4.unwrap().octets();
        [octets[0], octets[1]]
    });
    assert_ne!(subnets[0], subnets[1]);
    for (host, name) in [(host, "one"), (&other, "two")] {
        host.engine.start(name).unwrap();
    }
}

fn host_directories(host: &Host) {
    let shared = host.directory.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("file"), "from the host").unwrap();
    let mount = |container: &str, read_only| HostMount {
        host: shared.clone(),
        container: container.into(),
        read_only,
        selinux_relabel: false,
        propagation: Propagation::None,
    };
    let mut spec = host.spec("one");
    // /lib is a link of the image to an absolute path: it must resolve inside the node.
    spec.host.mounts = vec![mount("/a/b", false), mount("/lib/c", true)];
    host.boot(&spec);
    let script = "cat /a/b/file /host-escape/c/file";
    assert_eq!(host.shell("one", script).1, "from the hostfrom the host");
    assert_eq!(host.shell("one", "echo -n back > /a/b/file").0, 0);
    assert_ne!(host.shell("one", "echo x > /lib/c/file").0, 0);
    assert_eq!(fs::read_to_string(shared.join("file")).unwrap(), "back");
    assert!(!Path::new("/host-escape").exists());
}

fn limits(host: &Host) {
    let mut spec = host.spec("one");
    spec.host.resources = ResourceLimits {
        millicpus: Some(1500),
        memory_bytes: Some(256 << 20),
    };
    host.boot(&spec);
    // As the node agent looks for them: at the roots of the hierarchies that the node sees.
    let read = |v1: &str, v2: &str| {
        let script = format!("cd /sys/fs/cgroup; cat {v1} || cat {v2}");
        let (_, text) = host.shell("one", &format!("({script}) 2>/dev/null"));
        text
    };
    let memory = read("memory/memory.limit_in_bytes", "memory.max");
    assert_eq!(memory, "268435456");
    let quota = read("cpu/cpu.cfs_quota_us", "cpu.max");
    assert_eq!(quota.split(' ').next(), Some("150000"));
}

fn stopping_asks_first(host: &Host) {
    host.boot(&host.spec("one"));
    eventually("the first line", || host.log("one").contains("booted"));
    std::thread::sleep(Duration::from_millis(200));
    let hardware = host.shell("one", "cat /sys/class/net/eth0/address").1;
    assert!(hardware.starts_with("02:42:"), "{hardware}");
    host.engine.stop("one", Duration::from_secs(5)).unwrap();
    assert_eq!(host.node("one").state, State::Exited(Some(7)));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let io = Io::new(None, &mut out, &mut err);
    let stopped = host.engine.exec("one", &Command::new(["true"]), io);
    assert_eq!(stopped.unwrap_err().code(), Code::NodeStopped);
    host.engine.start("one").unwrap();
    assert_eq!(host.shell("one", "cat /var/spool/seed").1, "seed");
    assert_eq!(
        host.shell("one", "cat /sys/class/net/eth0/address").1,
        hardware
    );
    host.engine.stop("one", Duration::ZERO).unwrap();
    assert_eq!(host.node("one").state, State::Exited(Some(137)));
}

/// The directory in `/proc` of a node's first process.
fn first_process(host: &Host, name: &str) -> PathBuf {
    let nodes = host.directory.path().join("state/nodes");
    let run = fs::read(nodes.join(name).join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_slice(&run).unwrap();
    PathBuf::from(format!("/proc/{}", run["pid"]))
}

/// A socket in the network namespace of a node: the busybox has no server for UDP.
fn udp_socket_in(host: &Host, name: &str, port: u16) -> UdpSocket {
    let namespace = fs::File::open(first_process(host, name).join("ns/net")).unwrap();
    let bind = move || {
        let network = Some(LinkNameSpaceType::Network);
        rustix::thread::move_into_link_name_space(namespace.as_fd(), network).unwrap();
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap()
    };
    // The thread that changes its namespace ends, the socket stays there.
    std::thread::spawn(bind).join().unwrap()
}

/// The process that stays with a node: the parent of the node's first one.
fn monitor_of(process: &Path) -> String {
    let status = fs::read_to_string(process.join("status")).unwrap();
    let parent = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap();
    parent.trim().to_owned()
}

fn killed_monitor(host: &Host) {
    host.boot(&host.spec("one"));
    let process = first_process(host, "one");
    let monitor = monitor_of(&process);
    assert!(
        Program::new("kill")
            .args(["-9", &monitor])
            .status()
            .unwrap()
            .success()
    );
    eventually("the node's end", || !process.exists());
    assert_eq!(host.node("one").state, State::Exited(None));
    host.engine.start("one").unwrap();
    assert_eq!(host.node("one").state, State::Running);
}

fn removed_while_it_starts(host: &Host) {
    for number in 0..30 {
        host.engine.create(&host.spec("one")).unwrap();
        std::thread::scope(|scope| {
            // Whether it starts is chance.
            scope.spawn(|| drop(host.engine.start("one")));
            std::thread::sleep(Duration::from_millis(number * 3));
            host.engine.remove(&["one".to_owned()]).unwrap();
        });
        assert!(host.engine.list(None).unwrap().is_empty());
        // A node that came up after its removal would keep its network.
        host.engine.remove(&[]).unwrap();
        for place in ["nodes", "networks", "trash", "images/holds"] {
            let place = host.directory.path().join("state").join(place);
            let left = fs::read_dir(&place).unwrap().count();
            assert_eq!(left, 0, "after {number}: {}", place.display());
        }
    }
}

fn monitor_cgroups(host: &Host) {
    host.boot(&host.spec("one"));
    let monitor = monitor_of(&first_process(host, "one"));
    let groups = fs::read_to_string(format!("/proc/{monitor}/cgroup")).unwrap();
    let own = |line: &str| line.contains("/kind-") && line.ends_with("-monitors/one");
    assert!(groups.lines().all(own), "{groups}");
}

fn many_at_once(host: &Host) {
    let names: Vec<_> = (0..6).map(|number| format!("node{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| host.boot(&host.spec(name)));
        }
    });
    let nodes = host.engine.list(Some("test")).unwrap();
    let mut addresses: Vec<_> = nodes.iter().map(|node| node.ipv4.unwrap()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), names.len());
    assert!(nodes.iter().all(|node| node.state == State::Running));
    assert!(host.engine.list(Some("other")).unwrap().is_empty());
}

fn shared_snapshot(host: &Host) {
    host.boot(&host.spec("one"));
    assert_eq!(
        host.shell("one", &format!("cat /{SNAPSHOT}/big")).1,
        "unpacked"
    );
    assert_ne!(host.shell("one", &format!("touch /{SNAPSHOT}/x")).0, 0);
    // Nothing of it was copied to the node's own /var.
    let shown = Path::new(SNAPSHOT).parent().unwrap();
    let own = host.directory.path().join("state/nodes/one").join(shown);
    assert!(own.is_dir() && fs::read_dir(own).unwrap().next().is_none());
}

fn image_of_a_registry(host: &Host) {
    let registry = Registry::start();
    let name = registry.image("team/node:v1");
    let store = host.engine.images();
    let image = store.find_image(IMAGE).unwrap().unwrap();
    let (reference, access) = (name.parse().unwrap(), Access::default());
    let form = LayerForm::Gzip;
    let pushed = registry::push(store, &image, &reference, form, &access, &|_| {}).unwrap();
    store.remove_image(IMAGE).unwrap();
    assert!(host.engine.image(&name).unwrap().is_none());

    let pinned = format!("{name}@{}", pushed.digest);
    host.engine.pull(&pinned, &|_| {}).unwrap();
    drop(registry);
    assert!(host.engine.image(&pinned).unwrap().is_some());
    let mut spec = host.spec("pulled");
    spec.image = pinned;
    host.boot(&spec);
    assert_eq!(host.shell("pulled", "echo $FROM_IMAGE").1, "yes");
    let error = host.engine.pull(&name, &|_| {}).unwrap_err();
    assert_eq!(
        error.code(),
        Code::Image(kind_image::Code::RegistryUnreachable)
    );
}

/// Two commands make a node of one name, of images that are not the same by then.
fn creation_in_vain(host: &Host) {
    let spec = host.spec("one");
    host.boot(&spec);
    host.make_image("another seed");
    let error = host.engine.create(&spec).unwrap_err();
    assert!(matches!(error, Error::NodeExists(_)), "{error}");
    // Takes away all layers that nobody holds.
    host.engine.images().remove_image(IMAGE).unwrap();
    host.engine.stop("one", Duration::ZERO).unwrap();
    host.engine.start("one").unwrap();
    assert_eq!(host.shell("one", "cat /var/spool/seed").1, "seed");
    host.engine.remove(&["one".to_owned()]).unwrap();
    let chains = host.engine.images().root().join("chains");
    assert_eq!(fs::read_dir(chains).unwrap().count(), 0);
}
