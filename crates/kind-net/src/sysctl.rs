//! What a node's kernel is told about its network.
//!
//! A new network namespace begins with what the host has for IPv4 (`net.core.devconf_inherit_init_net`), and
//! hosts are told things that a router with many links cannot live with: with `arp_ignore` 2 a node does not
//! answer a pod that asks for its gateway, because the gateway's address is a network of its own. A link takes
//! the larger one of its own value and that of `all`, and links that a CNI plugin makes later begin with
//! `default`; so each setting is made for all three. Nothing is ever set on the host: these are
//! settings of the namespace that the calling process is in.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Settings of each link, below `net`, for both families.
const OF_LINKS: [(&str, &str, &str); 6] = [
    // Answers for every address of the machine, whoever asks: the kernel's own default.
    ("ipv4", "arp_ignore", "0"),
    ("ipv4", "arp_filter", "0"),
    // Asks in the name of the link that it asks on. Pods inherit the host's `arp_ignore` and answer nobody
    // else, and a Service's address must not be heard from a node that does not announce it.
    ("ipv4", "arp_announce", "2"),
    // Answers may take another way than questions, for example through a second network of the engine's.
    ("ipv4", "rp_filter", "0"),
    ("ipv4", "proxy_arp", "0"),
    // Nobody on the network tells a node its addresses and routes.
    ("ipv6", "accept_ra", "0"),
];

/// Makes the settings in the tree at `sysctls`, which is `/proc/sys` but for tests. Those that the kernel
/// does not have, for example without IPv6, are left out.
///
/// # Errors
/// The first that the kernel refused, after all were tried; the error names it.
pub fn set_for_node(sysctls: &Path) -> io::Result<()> {
    let net = sysctls.join("net");
    // This one resets others, so it comes first.
    let mut result = set(&net.join("ipv4/ip_forward"), "1");
    for (family, name, value) in OF_LINKS {
        let links = match fs::read_dir(net.join(family).join("conf")) {
            Ok(links) => links,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for link in links {
            let path = link?.path().join(name);
            result = result.and(set(&path, value));
        }
    }
    result
}

fn set(path: &Path, value: &str) -> io::Result<()> {
    // Whatever has the value already need not be written, which may be forbidden.
    match fs::read_to_string(path) {
        Ok(present) if present.trim() == value => return Ok(()),
        Ok(_) => {}
        // The kernel has no such setting, or the link is gone.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(named(path, &error)),
    }
    fs::write(path, value).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The same settings as a file for `/etc/sysctl.d`, for whenever the node boots.
pub fn as_file() -> String {
    let mut text =
        "# What kind's nodes need, whatever the host has.\nnet.ipv4.ip_forward = 1\n".to_owned();
    for (family, name, value) in OF_LINKS {
        for link in ["all", "default", "*"] {
            text.push_str(&format!("-net.{family}.conf.{link}.{name} = {value}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_links_and_those_to_come_get_the_same() {
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
        for link in ["all", "default", "eth0"] {
            assert_eq!(read(&format!("conf/{link}/arp_ignore")), "0");
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
        assert_eq!(text.lines().count(), 2 + 3 * OF_LINKS.len());
        assert!(text.contains("\n-net.ipv4.conf.default.arp_ignore = 0\n"));
    }
}
