//! Where a registry is, and who stands in for it.

use std::fs;
use std::path::{Path, PathBuf};

use super::hosts_file::{self, Host, HostsFile};
use super::{Access, Error};
use crate::http::{Files, Url};

/// Docker Hub's name in references, and where it really is.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// What an endpoint is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The digest of a tag, or a manifest by its digest.
    Pull { by_tag: bool },
    /// Taking content.
    Push,
}

/// A place that may have a registry's content.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// Address up to the repository, for example `https://registry.test/v2`.
    pub(super) url: Url,
    /// Host and port, by which credentials are found.
    pub(super) host: String,
    pub(super) files: Files,
    pub(super) headers: Vec<(String, String)>,
    /// The registry it stands in for.
    pub(super) stands_for: Option<String>,
    /// The same place is tried without encryption if it has none: it is this machine.
    pub(super) or_plain: bool,
}

/// The places to ask about a registry's content, best first; never none.
pub(super) fn registry_endpoints(
    access: &Access,
    domain: &str,
    purpose: Purpose,
) -> Result<Vec<Endpoint>, Error> {
    let found = read_hosts_file(access, domain)?;
    let fits = |host: &Host| match purpose {
        Purpose::Pull { by_tag: true } => host.pulls && host.resolves,
        Purpose::Pull { by_tag: false } => host.pulls,
        // What is published belongs to the registry itself.
        Purpose::Push => false,
    };
    let mut endpoints = Vec::new();
    for host in found.mirrors.iter().filter(|host| fits(host)) {
        let mut endpoint = of_host(access, host)?;
        endpoint.stands_for = Some(domain.to_owned());
        endpoints.push(endpoint);
    }
    match &found.server {
        Some(server) => endpoints.push(of_host(access, server)?),
        None => endpoints.push(registry_endpoint(access, domain)?),
    }
    if let Some(own) = endpoints.last_mut() {
        // Credentials are known by the name that users write.
        domain.clone_into(&mut own.host);
    }
    Ok(endpoints)
}

fn of_host(access: &Access, host: &Host) -> Result<Endpoint, Error> {
    let name = host.url.host_and_port().to_owned();
    let mut files = read_certificates(access, &name)?;
    files.authorities.extend(host.files.authorities.clone());
    files.client = host.files.client.clone().or(files.client);
    files.blind = host.files.blind;
    Ok(Endpoint {
        url: host.url.clone(),
        host: name,
        files,
        headers: host.headers.clone(),
        stands_for: None,
        or_plain: false,
    })
}

/// The registry under its own name: encrypted, unless it is on this machine and is not.
fn registry_endpoint(access: &Access, domain: &str) -> Result<Endpoint, Error> {
    let host = if domain == HUB.0 { HUB.1 } else { domain };
    let url = Url::parse(&format!("https://{host}/v2")).map_err(|reason| Error::Refused {
        what: format!("registry {domain:?}"),
        reason: reason.to_owned(),
    })?;
    Ok(Endpoint {
        or_plain: url.is_loopback(),
        url,
        host: domain.to_owned(),
        files: read_certificates(access, domain)?,
        headers: Vec::new(),
        stands_for: None,
    })
}

/// Directories that are about a registry. containerd writes a port as `_5000_` too, because some
/// filesystems have no colons.
fn host_directories(access: &Access, domain: &str) -> Vec<PathBuf> {
    let mut names = vec![domain.to_owned()];
    if let Some((host, port)) = domain.rsplit_once(':') {
        names.push(format!("{host}_{port}_"));
    }
    let all = access.certificates.iter();
    all.flat_map(|directory| names.iter().map(|name| directory.join(name)))
        .collect()
}

/// The first `hosts.toml` there is for a registry, or the one for all registries.
fn read_hosts_file(access: &Access, domain: &str) -> Result<HostsFile, Error> {
    let default = access.certificates.iter().map(|it| it.join("_default"));
    for directory in host_directories(access, domain).into_iter().chain(default) {
        let path = directory.join("hosts.toml");
        if let Some(text) = read_host(&path)? {
            return hosts_file::parse_hosts_file(&text, &directory)
                .map_err(|reason| Error::Configuration { path, reason });
        }
    }
    Ok(HostsFile::default())
}

fn read_host(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::Configuration {
            path: path.to_owned(),
            reason: error.to_string(),
        }),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// docker's certificates of a registry: every `*.crt` is an authority, a `*.cert` with its `*.key` is this
/// side.
fn read_certificates(access: &Access, domain: &str) -> Result<Files, Error> {
    let mut files = Files::default();
    for directory in host_directories(access, domain) {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => continue,
            Err(error) => {
                return Err(Error::Configuration {
                    path: directory,
                    reason: error.to_string(),
                });
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => files.authorities.push(path),
                Some("cert") if files.client.is_none() => {
                    let key = path.with_extension("key");
                    files.client = Some((path, key));
                }
                _ => {}
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn access(directory: &Path) -> Access {
        Access {
            certificates: vec![directory.to_owned()],
            ..Access::default()
        }
    }

    fn urls(access: &Access, domain: &str, purpose: Purpose) -> Vec<String> {
        let found = registry_endpoints(access, domain, purpose).unwrap();
        found
            .iter()
            .map(|endpoint| endpoint.url.to_string())
            .collect()
    }

    const PULL: Purpose = Purpose::Pull { by_tag: true };

    #[test]
    fn registries_are_found_under_their_names() {
        let place = tempfile::tempdir().unwrap();
        let access = access(place.path());
        assert_eq!(
            urls(&access, "docker.io", PULL),
            ["https://registry-1.docker.io/v2"]
        );
        assert_eq!(
            urls(&access, "a.test:5000", PULL),
            ["https://a.test:5000/v2"]
        );
        let own = |domain| registry_endpoints(&access, domain, PULL).unwrap().remove(0);
        assert!(own("localhost:5000").or_plain);
        assert!(!own("registry.test").or_plain);
        assert_eq!(own("docker.io").host, "docker.io");
    }

    #[test]
    fn mirrors_come_first_and_are_given_nothing() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("docker.io");
        fs::create_dir(&directory).unwrap();
        let text = "[host.\"http://m.test\"]\n[host.\"https://n.test\"]\ncapabilities=[\"pull\"]\n";
        fs::write(directory.join("hosts.toml"), text).unwrap();
        let access = access(place.path());
        let hub = "https://registry-1.docker.io/v2";
        assert_eq!(urls(&access, "docker.io", PULL), ["http://m.test/v2", hub]);
        let by_digest = Purpose::Pull { by_tag: false };
        assert_eq!(
            urls(&access, "docker.io", by_digest),
            ["http://m.test/v2", "https://n.test/v2", hub]
        );
        assert_eq!(urls(&access, "docker.io", Purpose::Push), [hub]);
        fs::write(directory.join("hosts.toml"), "host = 1").unwrap();
        let error = registry_endpoints(&access, "docker.io", PULL).unwrap_err();
        assert_eq!(error.code(), Code::RegistryConfiguration);
    }

    #[test]
    fn certificates_are_dockers() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("r.test_5000_");
        fs::create_dir(&directory).unwrap();
        for name in ["ca.crt", "client.cert", "client.key", "README"] {
            fs::write(directory.join(name), "").unwrap();
        }
        let endpoint = registry_endpoints(&access(place.path()), "r.test:5000", PULL)
            .unwrap()
            .remove(0);
        assert_eq!(endpoint.files.authorities, [directory.join("ca.crt")]);
        let expected = (directory.join("client.cert"), directory.join("client.key"));
        assert_eq!(endpoint.files.client, Some(expected));
    }
}
