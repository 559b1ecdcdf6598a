//! Pods with services, names, volumes, logs and ports, as a user has them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

use kind_e2e::eventually;

use crate::pages::from_pod;
use crate::world::World;

pub(crate) fn pods_answer_by_dns_name(world: &World) {
    let archive = world.sample.to_str().unwrap();
    world
        .kind
        .run(&["load", "image-archive", "--name", "e2e", archive])
        .expect("load image-archive");
    world
        .kind
        .apply(include_str!("../../xtask/src/sample.yaml"));
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
        let answer = from_pod(world, "client", "sample.default.svc.cluster.local", 80);
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

pub(crate) fn the_host_reaches_a_node_port(world: &World) {
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

pub(crate) fn dns_knows_services_and_pods(world: &World) {
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

pub(crate) fn pods_reach_the_outside(world: &World) {
    let path = "jsonpath={.status.hostIP}";
    let node = world
        .kind
        .ask(&["get", "pod", "client", "-o", path])
        .expect("node address");
    outside_sees(world, "client", node.parse().unwrap());
}

/// The test itself is the outside: it listens on the host, and sees the address of the pod's node, not the
/// pod's.
pub(crate) fn outside_sees(world: &World, pod: &str, node: IpAddr) {
    // The host's own address on the way to the node.
    let any: IpAddr = match node {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let way = UdpSocket::bind((any, 0)).unwrap();
    way.connect((node, 9)).unwrap();
    let gateway = way.local_addr().unwrap().ip();
    let listener = TcpListener::bind((gateway, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let outside = std::thread::spawn(move || {
        let (mut stream, client) = listener.accept().unwrap();
        stream.write_all(b"from outside").unwrap();
        client.ip()
    });
    let answer = world
        .kind
        .shell(pod, &format!("nc -w 5 {gateway} {port} </dev/null"));
    assert_eq!(answer.expect("nc"), "from outside");
    assert_eq!(outside.join().unwrap(), node);
}

/// The image of the sample app.
pub(crate) const SAMPLE: &str = "docker.io/library/kind-sample:v1";

pub(crate) fn a_mount_is_shared_with_the_host(world: &World) {
    fs::write(world.shared().join("from-host"), "the host was here").unwrap();
    world.kind.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: mounts\nspec:\n  restartPolicy: Never\n  volumes:\n  \
         - name: shared\n    hostPath:\n      path: /shared\n  - name: read\n    hostPath:\n      \
         path: /shared-to-read\n  containers:\n  - name: main\n    image: {SAMPLE}\n    \
         imagePullPolicy: Never\n    command: [/bin/sh, -c, '{SCRIPT}']\n    volumeMounts:\n    \
         - name: shared\n      mountPath: /shared\n    - name: read\n      mountPath: /read\n"
    ));
    let from_pod = world.shared().join("from-pod");
    eventually(
        "the pod writes on the host",
        60,
        || match fs::read_to_string(&from_pod) {
            Ok(text) if text == "the pod was here\n" => Ok(()),
            other => Err((other.ok(), world.kind.ask(&["logs", "mounts"]))),
        },
    );
    eventually("the pod has read", 60, || {
        let logs = world.kind.ask(&["logs", "mounts"]);
        if logs.stdout == "the host was here" {
            Ok(())
        } else {
            Err(logs)
        }
    });
    assert!(!world.shared().join("refused").exists());
    const SCRIPT: &str = "cat /shared/from-host; touch /read/refused 2>/dev/null; echo the pod was here > /shared/from-pod";
}

pub(crate) fn logs_exec_and_port_forward_work(world: &World) {
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
    let mut stdout = BufReader::new(forward.stdout.take().unwrap());
    let mut line = String::new();
    BufRead::read_line(&mut stdout, &mut line).unwrap();
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
