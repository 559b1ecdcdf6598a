//! The program `kind-node`: one static file with everything that runs inside a node.
//!
//! The first word of the command line chooses what it is; so does the name `crictl`, by a link to the
//! program. Nothing is shared between the sub-commands before they start, so that the small ones
//! (`pause`) stay small.
#![forbid(unsafe_code)]

mod balancer;
mod boot;
mod bootstrap;
mod channel;
mod crictl;
mod diagnosis;
mod dns;
mod examine;
mod kubernetes;
mod mutex;
mod network;
mod nft;
mod pause;
mod pod_addresses;
mod restricted_pods;
mod services;
mod signals;
mod storage;
#[cfg(test)]
mod testing;
mod unpack;
mod usage;

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use bootstrap::{
    api_server, bootstrap_token, first_pods, kubelet_kubeconfig, node_readiness, node_shutdown,
    objects, pod_cidrs, ready_nodes, registration, service_account, taints_and_labels,
};
use usage::{USAGE, exit_with_usage, print_answer};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    if Path::new(&name).file_name() == Some(OsStr::new("crictl")) {
        return run_command("crictl", arguments.collect());
    }
    let word = arguments.next().unwrap_or_default();
    run_command(&word.to_string_lossy(), arguments.collect())
}

/// Runs one sub-command to its end.
fn run_command(word: &str, arguments: Vec<OsString>) -> ExitCode {
    match word {
        "pause" => pause::hold_namespaces(),
        "boot" => boot::boot_node(&arguments),
        "seed" => boot::seed::seed_node(&arguments),
        "request" => channel::serve_request(&arguments),
        "set-sysctls" => boot::sysctls::set_sysctls(),
        "show-limits" => boot::limits::run_show_limits(),
        "finalize-kubelet" => kubelet_kubeconfig::finalize_kubeconfig(),
        "assign-pod-cidrs" => pod_cidrs::assign_pod_cidrs(&words(&arguments)),
        "await-server" => api_server::await_api_server(),
        "make-account" => service_account::make_service_account(),
        "forget-token" => bootstrap_token::forget_bootstrap_token(&words(&arguments)),
        "make-objects" => objects::make_objects(&words(&arguments)),
        "await-pods" => first_pods::await_first_pod(),
        "await-nodes" => ready_nodes::await_ready_nodes(&words(&arguments)),
        "remove-marks" => taints_and_labels::remove_taints_and_label(&words(&arguments)),
        "await-registration" => registration::await_registration(&words(&arguments)),
        "note-stop" => node_shutdown::note_shutdown(),
        "examine" => examine::examine_node(),
        "await-ready" => node_readiness::await_node_readiness(&words(&arguments)),
        "load-balancer" => as_terminated(add_on(balancer::run_load_balancer)),
        "network" => add_on(|| network::run_network(services::serve_services)),
        "storage" => add_on(storage::run_storage),
        "services" => add_on(services::run_services),
        "crictl" => crictl::run_crictl(&words(&arguments)),
        "dns" => add_on(|| dns::run_dns(&words(&arguments))),
        "--version" | "-V" => print_answer(concat!("kind-node ", env!("CARGO_PKG_VERSION"))),
        "--help" | "-h" => print_answer(USAGE),
        "" => exit_with_usage("a sub-command is missing"),
        _ => exit_with_usage(&format!("unknown sub-command {word:?}")),
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
fn as_terminated(code: ExitCode) -> ExitCode {
    match code {
        code if code == ExitCode::SUCCESS => ExitCode::from(TERMINATED),
        code => code,
    }
}

/// Of a program that SIGTERM ended, as shells have it.
const TERMINATED: u8 = 128 + 15;
