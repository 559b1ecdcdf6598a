//! The order of things at boot.

use std::ffi::OsString;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use kind_node::cni;
use kind_sys::mountinfo;

use super::error::during_step;
use super::{
    Error, address, cgroups, docker_dns, hook, identity, iptables, log, mounts, mtu, names,
    program, proxy, resolver, snapshotter, sysctls, userns,
};
use crate::restricted_pods;

/// Prepares the node and becomes the command after `--`, or does the one step that is named.
pub(crate) fn boot_node(arguments: &[OsString]) -> ExitCode {
    let result = match arguments {
        [step] if step == "kubelet-cgroups" => cgroups::prepare_kubelet(),
        [step] if step == "product-files" => {
            hook::show_product(Path::new("/"), std::io::stdin().lock())
        }
        [dashes, command @ ..] if dashes == "--" && !command.is_empty() => {
            prepare_node(Path::new("/")).and_then(|()| become_command(command))
        }
        _ => {
            return crate::usage::exit_with_usage(
                "boot takes `-- COMMAND`, `kubelet-cgroups` or `product-files`",
            );
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error(error);
            ExitCode::FAILURE
        }
    }
}

/// Everything between the engine and the init system.
fn prepare_node(root: &Path) -> Result<(), Error> {
    let mounts = mountinfo::read().map_err(during_step("read the mount table"))?;
    let map = fs::read_to_string("/proc/self/uid_map").map_err(during_step("read the uid map"))?;
    let userns = userns::is_namespace(&map);
    if userns {
        log::info("running in a user namespace (experimental)");
        userns::validate_userns(cgroups::cgroup_controllers().as_deref())?;
    }
    snapshotter::configure_snapshotter(&mounts, userns)?;
    proxy::configure_proxy(root)?;
    mounts::fix_mounts(&mounts, userns)?;
    cgroups::fix_cgroups()?;
    identity::renew_machine_id(root)?;
    identity::fake_product(root)?;
    iptables::choose_iptables()?;
    if let Err(error) = sysctls::apply_sysctls() {
        log::warn(format!("the host's settings of the network stay: {error}"));
    }
    prepare_network(root)
}

fn prepare_network(root: &Path) -> Result<(), Error> {
    let host = if resolver::uses_docker(root) {
        let host = names::host_address().ok_or(Error::NoHostAddress)?;
        move_docker_dns(host)?;
        Some(host)
    } else {
        None
    };
    let search = std::env::var("KIND_DNS_SEARCH").ok();
    resolver::configure_resolver(root, host, search.as_deref())?;
    mtu::follow_mtu(root)?;
    match restricted_pods::close_pods(&root.join(cni::PATH.trim_start_matches('/'))) {
        Ok(true) => log::info("pods have no network until their policies are known"),
        Ok(false) => {}
        Err(error) => log::warn(format!("policies hold only once they are known: {error}")),
    }
    let (ipv4, ipv6) = names::own_addresses();
    address::follow_changes(root, ipv4, ipv6)
}

fn move_docker_dns(host: Ipv4Addr) -> Result<(), Error> {
    let saved = program::program_output(&["iptables-save"], "")?;
    let edited = docker_dns::edit_rules(&saved, host);
    if edited != saved {
        program::program_output(&["iptables-restore"], &edited)?;
    }
    Ok(())
}

/// Replaces this program by the command; comes back only if that fails.
fn become_command(command: &[OsString]) -> Result<(), Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    log::info("starting init");
    let mut command = Command::new(program);
    if !cgroups::is_unified() {
        // systemd from 256 on wants to be told that cgroup v1 is meant.
        command.env("SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE", "1");
    }
    let error = command.args(arguments).exec();
    Err(during_step(format!("run {}", program.display()))(error))
}
