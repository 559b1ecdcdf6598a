//! The process that becomes a node's first one.
//!
//! It talks with the monitor over its standard streams: waits for a byte, makes the namespaces, answers
//! with a byte, waits for another (the link is there then), makes the root and becomes the image's entry
//! point. The answering stream closes by itself on that last step, which tells the monitor of success.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use ipnet::IpNet;
use kind_net::netlink::{Netlink, Route};
use kind_net::{pool, sysctl};
use kind_sys::{namespace, terminal};

use super::{balancer, rootfs};
use crate::native::network::NODE_LINK;
use crate::native::record::{NetworkRecord, NodeRecord};
use crate::native::state::State;
use crate::{Code, Error, Purpose};

/// Becomes the first process of a node; returns only on failure.
pub(in crate::native) fn start_init(
    state: &State,
    node: &str,
    console: &Path,
) -> Result<i32, Error> {
    let record = NodeRecord::load(&state.node(node))?;
    let network = NetworkRecord::load(state, &record.network)?.ok_or_else(|| {
        Error::other(
            Code::NetworkMissing,
            format!("the record of network {} is gone", record.network),
            "delete the cluster and create it again",
        )
    })?;

    wait_for_monitor()?;
    namespace::unshare_for_node().map_err(Error::io("make the node's namespaces"))?;
    io::stdout()
        .write_all(b"n")
        .and_then(|()| io::stdout().flush())
        .map_err(Error::io("answer the monitor"))?;
    wait_for_monitor()?;

    rustix::system::sethostname(record.name.as_bytes())
        .map_err(|error| Error::io("set the host name")(error.into()))?;
    configure_links(&record, &network)?;
    rootfs::enter_rootfs(state, &record, console)?;
    set_sysctls(&record)?;
    become_entrypoint(&record)
}

fn wait_for_monitor() -> Result<(), Error> {
    let mut byte = [0];
    io::stdin()
        .read_exact(&mut byte)
        .map_err(Error::io("wait for the monitor"))
}

/// Addresses and the default route of a node.
fn configure_links(node: &NodeRecord, network: &NetworkRecord) -> Result<(), Error> {
    let mut netlink = Netlink::open()?;
    let find = |netlink: &mut Netlink, name: &str| -> Result<u32, Error> {
        netlink
            .link(name)?
            .ok_or_else(|| Error::io(format!("find link {name}"))(io::ErrorKind::NotFound.into()))
    };
    let loopback = find(&mut netlink, "lo")?;
    netlink.up(loopback)?;
    let link = find(&mut netlink, NODE_LINK)?;
    netlink.set_hardware_address(link, hardware_address(node.ipv4))?;
    netlink.up(link)?;
    for subnet in network.subnets() {
        let address = match (subnet, node.ipv6) {
            (IpNet::V4(_), _) => IpAddr::V4(node.ipv4),
            (IpNet::V6(_), Some(v6)) => IpAddr::V6(v6),
            (IpNet::V6(_), None) => continue,
        };
        let with_prefix = IpNet::new(address, subnet.prefix_len())
            .expect("the prefix length comes from a subnet of the same family");
        netlink.add_address(link, with_prefix)?;
        netlink.route_replace(&default_route(pool::gateway(subnet), link))?;
    }
    Ok(())
}

/// The same for life, as the address it is made from: for half a minute others would go on to send what is
/// for a node that was started again to where it was.
fn hardware_address(ipv4: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = ipv4.octets();
    // Locally administered, for one receiver.
    [0x02, 0x42, a, b, c, d]
}

fn default_route(via: IpAddr, link: u32) -> Route {
    let to = match via {
        IpAddr::V4(_) => "0.0.0.0/0",
        IpAddr::V6(_) => "::/0",
    };
    Route {
        to: to.parse().expect("a literal subnet"),
        via: Some(via),
        link: Some(link),
        protocol: Route::BOOT,
    }
}

/// A node routes packets between its pods and the network.
fn set_sysctls(node: &NodeRecord) -> Result<(), Error> {
    let proc_sys = Path::new("/proc/sys");
    sysctl::set_for_node(proc_sys).map_err(Error::io("set what the node's network needs"))?;
    let mut sysctls = Vec::new();
    if node.ipv6.is_some() {
        sysctls.push(("ipv6/conf/all/disable_ipv6", "0"));
    }
    if node.ipv6_forwarding {
        sysctls.push(("ipv6/conf/all/forwarding", "1"));
    }
    for (sysctl, value) in sysctls {
        let path = proc_sys.join("net").join(sysctl);
        fs::write(&path, value).map_err(Error::io(format!("set {}", path.display())))?;
    }
    Ok(())
}

fn become_entrypoint(node: &NodeRecord) -> Result<i32, Error> {
    let (program, arguments) = node.argv.split_first().ok_or_else(|| {
        Error::other(
            Code::NoEntrypoint,
            format!(
                "image {} has no entry point, so it is no node image",
                node.image
            ),
            "use a node image, for example one built by `kind build node-image debian`",
        )
    })?;
    keep_report_stream()
        .and_then(|()| terminal::open(Path::new("/dev/console")))
        .and_then(terminal::take_over)
        .map_err(Error::io("take over the console"))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    if node.purpose == Purpose::LoadBalancer {
        balancer::protect_kernel()?;
        balancer::hand_over_files()?;
        balancer::become_user()?;
    }
    let error = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&node.env)
        .exec();
    Err(Error::io(format!(
        "execute {program} of image {}",
        node.image
    ))(error))
}

/// Keeps a copy of the stream to the monitor that closes when the entry point is executed, or when this
/// process ends, and not before: by then the report of a failure is written.
fn keep_report_stream() -> io::Result<()> {
    let copy = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    let _ = copy.into_raw_fd();
    Ok(())
}
