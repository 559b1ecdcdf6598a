//! The node's resolver configuration, which pods inherit.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use super::error::during_step;
use super::{Error, docker_dns, text};

const FILE: &str = "etc/resolv.conf";

/// Tells whether the node resolves names through docker's embedded service.
pub(super) fn uses_docker(root: &Path) -> bool {
    fs::read_to_string(root.join(FILE)).is_ok_and(|text| names_docker(&text))
}

/// Rewrites the configuration: docker's service at the host's address, and the search domains that
/// were asked for.
pub(super) fn configure_resolver(
    root: &Path,
    host: Option<Ipv4Addr>,
    search: Option<&str>,
) -> Result<(), Error> {
    let path = root.join(FILE);
    let failed = || during_step(format!("rewrite /{FILE}"));
    let Some(original) = text::read_text(&path).map_err(failed())? else {
        return Ok(());
    };
    let edited = edit_resolv_conf(&original, host, search);
    text::write_text(&root.join("etc/resolv.conf.original"), &original).map_err(failed())?;
    if edited != original {
        // Written in place: the engine has mounted the file, and it cannot be replaced.
        fs::write(&path, edited).map_err(failed())?;
    }
    Ok(())
}

fn names_docker(text: &str) -> bool {
    let address = docker_dns::ADDRESS.to_string();
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix("nameserver"))
        .any(|server| server.trim() == address)
}

fn edit_resolv_conf(original: &str, host: Option<Ipv4Addr>, search: Option<&str>) -> String {
    let mut lines = Vec::new();
    if let Some(search) = search.filter(|search| !search.is_empty()) {
        lines.push(format!("search {search}"));
    }
    let docker = docker_dns::ADDRESS.to_string();
    for line in original.lines() {
        if search.is_some() && line.starts_with("search") {
            continue;
        }
        lines.push(match host {
            Some(host) => line.replace(&docker, &host.to_string()),
            None => line.to_owned(),
        });
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<Ipv4Addr> = Some(Ipv4Addr::new(172, 18, 0, 1));

    #[test]
    fn search_domains_and_server() {
        let original = "search example.org\nnameserver 127.0.0.11\noptions ndots:0\n";
        for (host, search, expected) in [
            (None, None, original),
            (
                HOST,
                None,
                "search example.org\nnameserver 172.18.0.1\noptions ndots:0\n",
            ),
            (HOST, Some(""), "nameserver 172.18.0.1\noptions ndots:0\n"),
            (
                HOST,
                Some("a.example b.example"),
                "search a.example b.example\nnameserver 172.18.0.1\noptions ndots:0\n",
            ),
        ] {
            assert_eq!(edit_resolv_conf(original, host, search), expected);
        }
    }

    #[test]
    fn docker_is_recognised_by_its_server_alone() {
        assert!(names_docker("nameserver 127.0.0.11\n"));
        assert!(!names_docker("nameserver 127.0.0.110\n"));
        assert!(!names_docker("# was 127.0.0.11\nnameserver 8.8.8.8\n"));
    }

    #[test]
    fn the_original_is_kept_beside_it() {
        let root = tempfile::tempdir().unwrap();
        text::write_text(&root.path().join(FILE), "nameserver 127.0.0.11\n").unwrap();
        assert!(uses_docker(root.path()));
        configure_resolver(root.path(), HOST, None).unwrap();
        let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        assert_eq!(read(FILE), "nameserver 172.18.0.1\n");
        assert_eq!(read("etc/resolv.conf.original"), "nameserver 127.0.0.11\n");
    }
}
