//! What a node's kernel is told about its network.
//!
//! A new network namespace begins with what the host has for IPv4 (`net.core.devconf_inherit_init_net`), and
//! hosts are told things that a router with many links cannot live with: with `arp_ignore` 2 a node does not
//! answer a pod that asks for its gateway, because the gateway's address is a network of its own. A link takes
//! the larger one of its own value and that of `all`, and links that a CNI plugin makes later begin with
//! `default`; so each setting is made for all three. Nothing is ever set on the host: these are
//! settings of the namespace that the calling process is in, which has no pods yet.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A setting that each link has, below `net`.
struct Setting {
    family: &'static str,
    name: &'static str,
    /// What links to the engine's networks have: they are there when a node boots.
    engine: &'static str,
    /// What `all` and `default` have, and so the links that come later: those to pods.
    others: &'static str,
}

const SETTINGS: [Setting; 8] = [
    // The network hears of an address only from the node that has it on this very link. kube-proxy's mode
    // ipvs gives every node the addresses of all Services, on a link without a network. A pod's link may
    // have no address and speak for another one, as CNI plugins like.
    Setting {
        family: "ipv4",
        name: "arp_ignore",
        engine: "1",
        others: "0",
    },
    everywhere("ipv4", "arp_filter", "0"),
    // Asks in the name of the link that it asks on. Pods inherit the host's `arp_ignore` and answer nobody
    // else, and a Service's address must not be heard from a node that does not announce it.
    everywhere("ipv4", "arp_announce", "2"),
    // Answers may take another way than questions, for example through a second network of the engine's.
    everywhere("ipv4", "rp_filter", "0"),
    everywhere("ipv4", "proxy_arp", "0"),
    // Nobody on the network, and no pod, tells a node its addresses and routes.
    everywhere("ipv6", "accept_ra", "0"),
    everywhere("ipv6", "accept_redirects", "0"),
    everywhere("ipv4", "accept_redirects", "0"),
];
/// Names beside those of links: what counts for all of them, and what new ones begin with.
const NOT_LINKS: [&str; 2] = ["all", "default"];

const fn everywhere(family: &'static str, name: &'static str, value: &'static str) -> Setting {
    Setting {
        family,
        name,
        engine: value,
        others: value,
    }
}

/// Makes the settings in the tree at `sysctls`, which is `/proc/sys` but for tests. Those that the kernel
/// does not have, for example without IPv6, are left out.
///
/// # Errors
/// The first that the kernel refused, after all were tried; the error names it.
pub fn set_for_node(sysctls: &Path) -> io::Result<()> {
    let net = sysctls.join("net");
    // This one resets others, so it comes first.
    let mut result = write_setting(&net.join("ipv4/ip_forward"), "1");
    for setting in &SETTINGS {
        let conf = net.join(setting.family).join("conf");
        // A change of `default` is one of every link that was never told anything, so links come last.
        for scope in NOT_LINKS {
            let path = conf.join(scope).join(setting.name);
            result = result.and(write_setting(&path, setting.others));
        }
        for link in link_directories(&conf)? {
            result = result.and(write_setting(&link.join(setting.name), setting.engine));
        }
    }
    result
}

/// Has a link of the host's believe nothing that is told about routes by those on it: a node, or a pod, is nobody's router.
///
/// # Errors
/// The first that the kernel refused, after all were tried.
pub fn distrust_link(link: &str) -> io::Result<()> {
    let net = Path::new("/proc/sys/net");
    let settings = [
        ("ipv4", "accept_redirects"),
        ("ipv6", "accept_redirects"),
        ("ipv6", "accept_ra"),
    ];
    let paths = settings.map(|(family, name)| net.join(family).join("conf").join(link).join(name));
    let written = paths.map(|path| write_setting(&path, "0"));
    written.into_iter().collect()
}

/// The directories of links; none where the kernel does not have the family.
fn link_directories(conf: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(conf) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| !NOT_LINKS.iter().any(|name| path.ends_with(name)));
    Ok(paths)
}

fn write_setting(path: &Path, value: &str) -> io::Result<()> {
    // Whatever has the value already need not be written, which may be forbidden.
    match fs::read_to_string(path) {
        Ok(present) if present.trim() == value => return Ok(()),
        Ok(_) => {}
        // The kernel has no such setting, or the link is gone.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(name_path(path, &error)),
    }
    fs::write(path, value).map_err(|error| name_path(path, &error))
}

fn name_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The same settings as a file for `/etc/sysctl.d`, for whenever the node boots.
pub fn as_file() -> String {
    let mut text =
        "# What kind's nodes need, whatever the host has.\nnet.ipv4.ip_forward = 1\n".to_owned();
    for setting in &SETTINGS {
        let Setting { family, name, .. } = setting;
        // systemd's `*` leaves out what has a line of its own.
        for (link, value) in [
            ("all", setting.others),
            ("default", setting.others),
            ("*", setting.engine),
        ] {
            text.push_str(&format!("-net.{family}.conf.{link}.{name} = {value}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_links_and_those_to_come_are_set() {
        let directory = tempfile::tempdir().unwrap();
        let net = directory.path().join("net/ipv4");
        for link in ["all", "default", "eth0"] {
            let conf = net.join("conf").join(link);
            fs::create_dir_all(&conf).unwrap();
            fs::write(conf.join("arp_ignore"), "2\n").unwrap();
            fs::write(conf.join("rp_filter"), "0\n").unwrap();
        }
        fs::write(net.join("ip_forward"), "0\n").unwrap();
        set_for_node(directory.path()).unwrap();
        let read = |path: &str| fs::read_to_string(net.join(path)).unwrap();
        for (link, arp_ignore) in [("all", "0"), ("default", "0"), ("eth0", "1")] {
            assert_eq!(read(&format!("conf/{link}/arp_ignore")), arp_ignore);
            let untouched = format!("conf/{link}/rp_filter");
            assert_eq!(read(&untouched), "0\n", "what is right is not written");
            let absent = net.join("conf").join(link).join("proxy_arp");
            assert!(
                !absent.exists(),
                "what the kernel does not have is not made"
            );
        }
        assert_eq!(read("ip_forward"), "1");
    }

    #[test]
    fn a_refusal_is_named_and_stops_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let conf = directory.path().join("net/ipv4/conf/all");
        fs::create_dir_all(conf.join("arp_ignore")).unwrap();
        fs::write(conf.join("arp_announce"), "0").unwrap();
        let error = set_for_node(directory.path()).unwrap_err();
        assert!(error.to_string().contains("all/arp_ignore"), "{error}");
        assert_eq!(fs::read_to_string(conf.join("arp_announce")).unwrap(), "2");
    }

    #[test]
    fn the_file_has_every_setting_for_links_of_now_and_later() {
        let text = as_file();
        assert_eq!(text.lines().count(), 2 + 3 * SETTINGS.len());
        for line in [
            "-net.ipv4.conf.all.arp_ignore = 0",
            "-net.ipv4.conf.default.arp_ignore = 0",
            "-net.ipv4.conf.*.arp_ignore = 1",
            "-net.ipv6.conf.*.accept_ra = 0",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}");
        }
    }
}
