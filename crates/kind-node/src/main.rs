//! The program `kind-node`: one static file with everything that runs inside a node.
//!
//! The first word of the command line chooses what it is; so does the name `crictl`, by a link to the
//! program. Nothing is shared between the sub-commands before they start, so that the small ones
//! (`pause`) stay small.
#![forbid(unsafe_code)]

mod account;
mod administrator;
mod balancer;
mod boot;
mod channel;
mod crictl;
mod dns;
mod known;
mod kubelet;
mod kubernetes;
mod limits;
mod marks;
mod network;
mod nft;
mod objects;
mod pause;
mod pod_cidrs;
mod readiness;
mod ready_nodes;
mod refused;
mod registration;
mod seed;
mod server;
mod services;
mod shared_var;
mod signals;
mod stopping;
mod storage;
mod sysctls;
#[cfg(test)]
mod testing;

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    if Path::new(&name).file_name() == Some(OsStr::new("crictl")) {
        return run("crictl", arguments.collect());
    }
    let word = arguments.next().unwrap_or_default();
    run(&word.to_string_lossy(), arguments.collect())
}

/// Runs one sub-command to its end.
fn run(word: &str, arguments: Vec<OsString>) -> ExitCode {
    match word {
        "pause" => pause::run(),
        "boot" => boot::run(&arguments),
        "seed" => seed::run(&arguments),
        "request" => channel::run(&arguments),
        "set-sysctls" => sysctls::run(),
        "show-limits" => limits::run(),
        "finalize-kubelet" => kubelet::run(),
        "assign-pod-cidrs" => pod_cidrs::run(&words(&arguments)),
        "await-server" => server::run(),
        "make-account" => account::run(),
        "make-objects" => objects::run(&words(&arguments)),
        "await-nodes" => ready_nodes::run(&words(&arguments)),
        "remove-marks" => marks::run(&words(&arguments)),
        "await-registration" => registration::run(&words(&arguments)),
        "note-stop" => stopping::run(),
        "await-ready" => readiness::run(&words(&arguments)),
        "load-balancer" => terminated(add_on(balancer::run)),
        "network" => add_on(network::run),
        "storage" => add_on(storage::run),
        "services" => add_on(services::run),
        "crictl" => crictl::run(&words(&arguments)),
        "dns" => add_on(|| dns::run(&words(&arguments))),
        "--version" | "-V" => answer(concat!("kind-node ", env!("CARGO_PKG_VERSION"))),
        "--help" | "-h" => answer(USAGE),
        "" => complain("a sub-command is missing"),
        _ => complain(&format!("unknown sub-command {word:?}")),
    }
}

/// The arguments as text; none of the add-ons takes a path that is not.
fn words(arguments: &[OsString]) -> Vec<String> {
    let word = |argument: &OsString| argument.to_string_lossy().into_owned();
    arguments.iter().map(word).collect()
}

/// Runs an add-on with its log on stderr, and tells why it ended if that was not asked for.
fn add_on<E: Error + 'static>(run: impl FnOnce() -> Result<(), E>) -> ExitCode {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr);
    log.with_ansi(false).with_target(false).init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error: &(dyn Error + 'static) = &error;
            tracing::error!(error, "ended");
            ExitCode::FAILURE
        }
    }
}

/// The code of a program that only a signal ends. To an engine that shuts down with its host it must look like a
/// failure: of others it would think that they are done, and not start them again.
fn terminated(code: ExitCode) -> ExitCode {
    match code {
        code if code == ExitCode::SUCCESS => ExitCode::from(TERMINATED),
        code => code,
    }
}

/// Of a program that SIGTERM ended, as shells have it.
const TERMINATED: u8 = 128 + 15;

/// Prints an answer the caller asked for.
fn answer(text: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Says what went wrong.
pub(crate) fn fail(problem: &str) -> ExitCode {
    // Nothing is left to do when not even this can be written.
    let _ = writeln!(std::io::stderr(), "kind-node: {problem}");
    ExitCode::FAILURE
}

/// Says what is wrong with the command line.
pub(crate) fn complain(problem: &str) -> ExitCode {
    // Nothing is left to do when not even this can be written.
    let _ = writeln!(std::io::stderr(), "kind-node: {problem}\n\n{USAGE}");
    ExitCode::from(2)
}

const USAGE: &str = "\
usage: kind-node <sub-command>

  pause           hold a pod's namespaces and reap its orphans
  request         take files and steps on stdin, print events on stdout
  boot            prepare the node, then become the given command
  seed            put the node's files in place, then become the given command
  assign-pod-cidrs  give new nodes their pod addresses
  await-server    wait until the API server of a new cluster takes objects
  make-account    make the account of ordinary pods
  make-objects    make the objects of the list on stdin
  await-nodes     wait until the nodes with a label are Ready
  remove-marks    take marks of a control plane off all nodes
  await-registration  wait until the cluster knows this node
  await-ready     wait until this node is well since its start
  note-stop       call all nodes of the cluster not Ready
  set-sysctls     set what the node's network needs of the kernel
  show-limits     show the kubelet what the node may use as its machine
  finalize-kubelet  use the certificate that the kubelet rotates
  load-balancer   lead connections to the control planes that are ready
  network         the pod network of this node
  dns             the cluster's name service
  storage         volumes on this node's disk
  services        addresses for Services of type LoadBalancer
  crictl          ask containerd, as the program of that name does
  --version       print the version";
