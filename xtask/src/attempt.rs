//! `cargo xtask try`: from a clone to an answer of a real cluster.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::shell::{self, output, program, say};
use crate::{Failure, packages, programs, published, sample};

const CLUSTER: &str = "try";
/// Port of the sample app on the node.
const NODE_PORT: u16 = 30080;

/// Builds everything, makes a cluster and shows the answer of a pod.
pub(crate) fn run(yes: bool) -> Result<(), Failure> {
    packages::ensure(&packages::CLUSTER, yes)?;
    let kind = programs::build()?.kind;
    let scratch = tempfile::tempdir()?;
    let kubeconfig = programs::directory().join("try.kubeconfig");
    // A cluster of an earlier try would be in the way.
    shell::run(
        program(&kind)
            .args(["--provider", "native", "delete", "cluster"])
            .args(["--name", CLUSTER])
            .arg("--kubeconfig")
            .arg(&kubeconfig),
    )?;

    let port = free_port()?;
    let config = scratch.path().join("cluster.yaml");
    fs::write(&config, cluster(port))?;
    create(&kind, &kubeconfig, &config)?;
    deploy(&kind, &kubeconfig, scratch.path())?;
    let answer = answer(port)?;
    say(&format!("\n$ curl http://127.0.0.1:{port}/\n{answer}"));
    next_steps(&kind, &kubeconfig, port);
    Ok(())
}

/// Makes the cluster: from the published node image where its registry answers, else from Debian's packages.
fn create(kind: &Path, kubeconfig: &Path, config: &Path) -> Result<(), Failure> {
    let create = |more: &[&str]| {
        let mut command = program(kind);
        command
            .args(["--provider", "native", "create", "cluster"])
            .args(["--name", CLUSTER, "--wait", "2m"])
            .args(more)
            .arg("--config")
            .arg(config)
            .arg("--kubeconfig")
            .arg(kubeconfig);
        shell::run(&mut command)
    };
    if published::is_there() {
        match create(&[]) {
            Ok(()) => return Ok(()),
            Err(failure) => say(&format!("{failure}; now from Debian's packages instead.")),
        }
    }
    say(
        "The first cluster takes about 15 minutes: Kubernetes is compiled from Debian's source package. \
         The next one takes seconds.",
    );
    create(&["--from", "debian"])
}

/// One node whose port for the sample app is a port of this machine.
fn cluster(port: u16) -> String {
    format!(
        "kind: Cluster\n\
         apiVersion: kind.x-k8s.io/v1alpha4\n\
         nodes:\n\
         - role: control-plane\n\
         \x20 extraPortMappings:\n\
         \x20 - containerPort: {NODE_PORT}\n\
         \x20   hostPort: {port}\n\
         \x20   listenAddress: 127.0.0.1\n"
    )
}

/// 8080 if it is free, else any port.
fn free_port() -> Result<u16, Failure> {
    let wanted = TcpListener::bind((Ipv4Addr::LOCALHOST, 8080));
    let listener = wanted.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}

fn kubectl(kubeconfig: &Path) -> Command {
    let mut command = program("kubectl");
    command.arg("--kubeconfig").arg(kubeconfig);
    command
}

fn deploy(kind: &Path, kubeconfig: &Path, scratch: &Path) -> Result<(), Failure> {
    let archive = sample::archive()?;
    shell::run(
        program(kind)
            .args(["--provider", "native", "load", "image-archive"])
            .args(["--name", CLUSTER])
            .arg(archive),
    )?;
    let manifest = scratch.join("sample.yaml");
    fs::write(&manifest, sample::MANIFEST)?;
    shell::run(kubectl(kubeconfig).arg("apply").arg("-f").arg(&manifest))?;
    let wait = ["rollout", "status", "--timeout=2m", "deployment/sample"];
    shell::run(kubectl(kubeconfig).args(wait))?;
    wait_for_pods(kubeconfig)?;
    say(&output(kubectl(kubeconfig).args(["get", "nodes"]))?);
    say(&output(kubectl(kubeconfig).args([
        "get",
        "pods",
        "--all-namespaces",
    ]))?);
    Ok(())
}

/// Waits until every pod runs, those of the control plane among them.
fn wait_for_pods(kubeconfig: &Path) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(120);
    let list = ["get", "pods", "--all-namespaces", "--no-headers"];
    let calm = |pods: &str| {
        let runs = |line: &str| line.contains(" Running ") || line.contains(" Completed ");
        pods.contains("kube-apiserver-") && pods.lines().all(runs)
    };
    while !calm(&output(kubectl(kubeconfig).args(list))?) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// What the sample app says through the published port.
fn answer(port: u16) -> Result<String, Failure> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match ask(port) {
            Ok(text) if text.contains("Hello") => return Ok(text),
            Ok(_) | Err(_) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(200));
            }
            Ok(text) => return Err(format!("the sample app answered {text:?}").into()),
            Err(error) => return Err(format!("the sample app does not answer: {error}").into()),
        }
    }
}

fn ask(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    Ok(body.unwrap_or(text))
}

fn next_steps(kind: &Path, kubeconfig: &Path, port: u16) {
    let (kind, kubeconfig) = (kind.display(), kubeconfig.display());
    say(&format!(
        "It works. What next:\n\
         \x20 curl http://127.0.0.1:{port}/\n\
         \x20 kubectl --kubeconfig {kubeconfig} get pods --all-namespaces\n\
         \x20 {kind} --provider native create cluster --from debian      # another one, in seconds\n\
         \x20 {kind} --provider native delete cluster --name {CLUSTER} --kubeconfig {kubeconfig}"
    ));
}
