//! The process that stays with a node: it starts the node, holds its lock, writes its console to the log,
//! forwards its ports, and cleans up when it ends.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use kind_config::ResourceLimits;
use kind_net::netlink::Netlink;
use kind_sys::cgroup::Group;
use kind_sys::namespace;
use kind_sys::process::{self, Pid};
use kind_sys::terminal::{self, Terminal};

use super::{console, forward};
use crate::native::call::{Helper, STARTED, Task, own_program};
use crate::native::record::{NetworkRecord, NodeRecord, RunRecord};
use crate::native::state::{Lock, NodeDirectory, State, io_error};
use crate::native::{cgroups, hosts, network, teardown};
use crate::{Code, Error, HostConfig};

/// Moves this process to the monitor's own cgroups, which stay until the node is removed.
fn leave_cgroups_of_caller(state: &State, node: &str) -> Result<(), Error> {
    let group = cgroups::monitor_group(state, node)?;
    group
        .create()
        .and_then(|()| group.add_process(rustix::process::getpid()))
        .map_err(Error::io("move the node's monitor to its cgroups"))
}

/// Starts a node and stays until it ends.
pub(in crate::native) fn monitor_node(state: &State, name: &str) -> Result<i32, Error> {
    let directory = state.node(name);
    let Some(_lock) = take_over(&directory)? else {
        return Err(Error::other(
            Code::NodeRunning,
            format!("node {name} runs already"),
            "",
        ));
    };
    // Only now: whoever removes the node looks at the lock once more when its directory is away.
    let record = NodeRecord::load(&directory)?;
    leave_cgroups_of_caller(state, name)?;
    teardown::clear_host(state, name)?;
    let result = start_node(state, &directory, &record);
    let code = match result {
        Ok(started) => {
            leave_caller()?;
            process::wait_for_child(started).map_err(Error::io("wait for the node"))?
        }
        Err(error) => {
            // The error matters more than what its clean-up might add.
            let _ = teardown::clear_host(state, name);
            return Err(error);
        }
    };
    // Let the console's last words reach the log.
    std::thread::sleep(Duration::from_millis(20));
    let _ = fs::write(directory.file("exit"), code.to_string());
    let _ = fs::remove_file(directory.file("run.json"));
    teardown::clear_host(state, name)?;
    Ok(0)
}

/// The lock of a node that does not run. An earlier run is forgotten at once, its processes are gone: while the lock is
/// held, the process in its record is taken for the node's.
fn take_over(directory: &NodeDirectory) -> Result<Option<Lock>, Error> {
    let lock = directory.try_lock()?;
    if lock.is_some() {
        for name in ["run.json", "exit"] {
            let _ = fs::remove_file(directory.file(name));
        }
    }
    Ok(lock)
}

/// Brings the node up to the point where its entry point is executed; returns its first process.
fn start_node(state: &State, directory: &NodeDirectory, record: &NodeRecord) -> Result<Pid, Error> {
    let network = {
        let lock = state.lock()?;
        let network = network::ensure_network(state, &record.network, &lock)?;
        network::bring_up_network(state, &network, record.ipv6_forwarding, &lock)?;
        hosts::write_hosts(state, &record.network, &lock)?;
        network
    };
    let resolver = write_names(directory, record, &network)?;
    // The node's first process makes the mounts.
    let HostConfig {
        mounts: _,
        ports,
        resources,
    } = &record.host;
    let forwards = forward::Forwards::open_ports(record, ports)?;
    let group = cgroups::node_group(state, &record.name)?;
    group
        .create()
        .map_err(Error::io("make the node's cgroups"))?;
    limit_resources(&group, *resources)?;
    let console = Terminal::open().map_err(Error::io("make a terminal for the console"))?;
    // Held open for as long as the monitor lives: reading would fail while no program of the node has
    // the console open.
    let console_end = terminal::open(&console.path).map_err(Error::io("open the console"))?;

    let (helper, mut child) = spawn_init(state, record, &console.path)?;
    let pid = Pid::from_child(&child);
    let link = network::link_name(state, &record.name);
    if let Err(error) = bring_up(&helper, &mut child, &group, &link, &network) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    RunRecord {
        pid: pid.as_raw_nonzero().get(),
    }
    .save(directory)?;

    let log = directory.file("log");
    std::thread::spawn(move || {
        let _held = console_end;
        let _ = console::copy_console(console.controller, &log);
    });
    forwards.start_forwarding(
        resolver
            .relay
            .map(|server| (kind_net::pool::gateway(network.ipv4.into()), server)),
    );
    Ok(pid)
}

fn limit_resources(group: &Group, resources: ResourceLimits) -> Result<(), Error> {
    let ResourceLimits {
        millicpus,
        memory_bytes,
    } = resources;
    if let Some(millicpus) = millicpus {
        let limited = group.limit_processors(millicpus);
        limited.map_err(Error::io("limit the node's CPUs (resources.cpus)"))?;
    }
    if let Some(bytes) = memory_bytes {
        let limited = group.limit_memory(bytes);
        limited.map_err(Error::io("limit the node's memory (resources.memory)"))?;
    }
    Ok(())
}

fn write_names(
    directory: &NodeDirectory,
    record: &NodeRecord,
    network: &NetworkRecord,
) -> Result<hosts::Resolver, Error> {
    let resolver = hosts::host_resolver(kind_net::pool::gateway(network.ipv4.into()));
    for (name, text) in [
        ("hostname", format!("{}\n", record.name)),
        ("resolv.conf", resolver.text.clone()),
    ] {
        let path = directory.file(name);
        fs::write(&path, text).map_err(io_error("write", &path))?;
    }
    Ok(resolver)
}

fn spawn_init(
    state: &State,
    record: &NodeRecord,
    console: &Path,
) -> Result<(Helper, Child), Error> {
    let console = console.to_owned();
    let mut helper = Helper::new(own_program(), state, &record.name, Task::Init { console })?;
    helper
        .command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    process::die_with_parent(&mut helper.command);
    namespace::unshare_child_pids().map_err(Error::io("make the node's pid namespace"))?;
    let spawned = helper.command.spawn();
    namespace::restore_child_pids().map_err(Error::io("return to the own pid namespace"))?;
    let child = spawned.map_err(Error::io("start the node's first process"))?;
    Ok((helper, child))
}

/// The monitor's half of the talk with the node's first process (see `helper/init.rs`).
fn bring_up(
    helper: &Helper,
    child: &mut Child,
    group: &Group,
    link: &str,
    network: &NetworkRecord,
) -> Result<(), Error> {
    let (Some(mut to), Some(mut from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(helper.read_failure());
    };
    let pid = Pid::from_child(child);
    group
        .add_process(pid)
        .map_err(Error::io("move the node to its cgroups"))?;
    let mut byte = [0];
    if to.write_all(b"g").is_err() || from.read_exact(&mut byte).is_err() {
        let _ = child.wait();
        return Err(helper.read_failure());
    }
    let namespace = format!("/proc/{}/ns/net", pid.as_raw_nonzero());
    let namespace = File::open(&namespace).map_err(Error::io(format!("open {namespace}")))?;
    let mut netlink = Netlink::open()?;
    let bridge = netlink.bridge(&network.bridge)?;
    netlink.veth(link, bridge, network::NODE_LINK, namespace.as_fd())?;
    network::distrust_link(link)?;
    let _ = to.write_all(b"l");
    // The stream ends when the entry point is executed, or after the report of a failure is written.
    let _ = from.read_to_end(&mut Vec::new());
    if helper.has_report() {
        Err(helper.read_failure())
    } else {
        Ok(())
    }
}

/// Tells the caller that the node runs, and lets go of its streams.
fn leave_caller() -> Result<(), Error> {
    let mut stdout = std::io::stdout();
    // A caller that has gone does not stop the node.
    let _ = stdout.write_all(STARTED).and_then(|()| stdout.flush());
    let nothing = File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(Error::io("open /dev/null"))?;
    terminal::standard_streams(&nothing).map_err(Error::io("let go of the caller's streams"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_run_is_forgotten_with_the_lock_and_not_before() {
        let directory = tempfile::tempdir().unwrap();
        let node = State::node_directory_at(directory.path());
        RunRecord { pid: 1 }.save(&node).unwrap();
        let running = take_over(&node).unwrap();
        assert!(running.is_some());
        assert!(RunRecord::load(&node).unwrap().is_none());
        RunRecord { pid: 2 }.save(&node).unwrap();
        assert!(take_over(&node).unwrap().is_none());
        let run = RunRecord::load(&node).unwrap();
        assert_eq!(run.map(|run| run.pid), Some(2), "of a node that runs");
    }
}
