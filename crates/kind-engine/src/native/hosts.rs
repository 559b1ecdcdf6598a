//! What a node knows of names: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::record::NodeRecord;
use super::state::{Lock, NodeDirectory, State, io_error};
use crate::Error;

/// Where systemd-resolved keeps the real name servers behind its own 127.0.0.53.
const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// Writes the hosts files of all nodes of a network. Each has its own: what a node writes there is nobody else's names.
pub(super) fn write_hosts(state: &State, network: &str, _lock: &Lock) -> Result<(), Error> {
    let mut nodes = NodeRecord::load_all(state)?;
    nodes.retain(|node| node.network == network);
    // A node that comes changes no line of the others.
    nodes.sort_by_key(|node| node.created);
    let text = hosts_text(&nodes);
    nodes.iter().try_for_each(|node| {
        let path = hosts_path(&state.node(&node.name));
        write_in_place(&path, &text).map_err(io_error("write", &path))
    })
}

/// The hosts file of a node.
pub(super) fn hosts_path(node: &NodeDirectory) -> PathBuf {
    node.file("hosts")
}

/// Writes a file that nodes have bound: a new one in its place would not reach them. They read it at any moment (a node
/// that boots looks for its own name), so it never is empty or half of a line: what was longer is covered by empty
/// lines before it is cut off.
fn write_in_place(path: &Path, text: &str) -> io::Result<()> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false);
    let mut file = file.open(path)?;
    let mut old = Vec::new();
    file.read_to_end(&mut old)?;
    if old == text.as_bytes() {
        return Ok(());
    }
    let mut covering = text.as_bytes().to_vec();
    covering.resize(old.len().max(text.len()), b'\n');
    file.write_all_at(&covering, 0)?;
    file.set_len(text.len() as u64)
}

fn hosts_text(nodes: &[NodeRecord]) -> String {
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::0\tip6-localnet\n\
         ff00::0\tip6-mcastprefix\n\
         ff02::1\tip6-allnodes\n\
         ff02::2\tip6-allrouters\n",
    );
    for node in nodes {
        for address in node.addresses() {
            text.push_str(&format!("{address}\t{}\n", node.name));
        }
    }
    text
}

/// How a node resolves names of the outside.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolver {
    /// The node's `/etc/resolv.conf`.
    pub(super) text: String,
    /// The host's name server that only the host itself reaches; the monitor relays to it.
    pub(super) relay: Option<IpAddr>,
}

/// The host's resolver as it must look from a node whose gateway is `gateway`.
pub(super) fn host_resolver(gateway: IpAddr) -> Resolver {
    let read = |path: &str| fs::read_to_string(Path::new(path)).unwrap_or_default();
    resolver_of(&read("/etc/resolv.conf"), &read(RESOLVED), gateway)
}

/// A name server on the host's loopback means nothing in a node: the servers behind it are taken
/// where systemd-resolved names them, else the monitor relays from the gateway.
fn resolver_of(own: &str, resolved: &str, gateway: IpAddr) -> Resolver {
    for text in [own, resolved] {
        let servers = name_servers(text);
        if servers.iter().any(|server| !server.is_loopback()) {
            return Resolver {
                text: with_servers(text, &servers, false),
                relay: None,
            };
        }
    }
    let servers = name_servers(own);
    Resolver {
        text: with_servers(own, &[gateway], true),
        relay: servers.first().copied(),
    }
}

fn name_servers(text: &str) -> Vec<IpAddr> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        // A zone (fe80::1%eth0) names a link of the host's.
        .filter_map(|server| server.trim().parse().ok())
        .collect()
}

/// The text with only these servers; loopback ones are left out unless `all` are wanted.
fn with_servers(text: &str, servers: &[IpAddr], all: bool) -> String {
    let servers = servers.iter().filter(|server| all || !server.is_loopback());
    let mut result: String = servers
        .map(|server| format!("nameserver {server}\n"))
        .collect();
    for line in text.lines().map(str::trim) {
        // systemd-resolved's word for no search domains; where it reaches pods, musl resolves no name.
        let none = line.split_whitespace().eq(["search", "."]);
        let wanted = ["search", "domain", "options"]
            .iter()
            .any(|word| line.starts_with(word));
        if wanted && !none {
            result.push_str(line);
            result.push('\n');
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(172, 18, 0, 1));

    #[test]
    fn the_hosts_resolver_as_a_node_can_use_it() {
        for (own, resolved, text, relay) in [
            ("nameserver 10.0.0.1\n", "", "nameserver 10.0.0.1\n", None),
            (
                "# stub\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n",
                "nameserver 10.0.0.2\nnameserver 10.0.0.3\nsearch lan\n",
                "nameserver 10.0.0.2\nnameserver 10.0.0.3\nsearch lan\n",
                None,
            ),
            (
                "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n",
                "nameserver 10.0.2.3\nsearch .\n",
                "nameserver 10.0.2.3\n",
                None,
            ),
            (
                "nameserver 127.0.0.1\nsearch corp\n",
                "",
                "nameserver 172.18.0.1\nsearch corp\n",
                Some("127.0.0.1"),
            ),
            (
                "nameserver ::1\nnameserver 1.1.1.1\n",
                "",
                "nameserver 1.1.1.1\n",
                None,
            ),
            ("", "", "nameserver 172.18.0.1\n", None),
        ] {
            let resolver = resolver_of(own, resolved, GATEWAY);
            assert_eq!(resolver.text, text, "{own:?}");
            assert_eq!(resolver.relay.map(|ip| ip.to_string()).as_deref(), relay);
        }
    }

    /// Otherwise a node that boots while another one comes or goes does not find its own name, and ends.
    #[test]
    fn names_are_there_while_others_come_and_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hosts");
        let own = "172.18.0.2\tone\n";
        let texts = [own.to_owned(), format!("{own}172.18.0.3\ttwo\n")];
        write_in_place(&path, own).unwrap();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for index in 0..2000 {
                    write_in_place(&path, &texts[index % 2]).unwrap();
                }
            });
            while !writing.is_finished() {
                let read = fs::read_to_string(&path).unwrap();
                assert!(
                    texts
                        .iter()
                        .any(|text| *text == read.trim_end().to_owned() + "\n"),
                    "{read:?}"
                );
            }
        });
        write_in_place(&path, &texts[1]).unwrap();
        write_in_place(&path, own).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), own);
    }
}
