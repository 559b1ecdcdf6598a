//! How registries are reached, and under whose name.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;

use kind_secret::Secret;

use crate::http::{Client, Proxies, Timeouts, Url};

/// How registries are reached: proxies, certificates, mirrors, credentials. One serves all threads, and
/// keeps connections and tokens for the next call.
#[derive(Debug, Default)]
pub struct Access {
    pub(super) client: Client,
    /// Directories with a directory for each registry, the most important first.
    pub(super) certificates: Vec<PathBuf>,
    /// Files with credentials, the most important first.
    pub(super) credentials: Vec<PathBuf>,
    /// Where credential helpers are looked for.
    pub(super) path: Option<String>,
    /// Addresses of registries on this machine, with or without encryption, by host and port.
    pub(super) reached: Mutex<HashMap<String, Url>>,
    /// Authorizations that were accepted, by registry and what they are for.
    pub(super) granted: Mutex<HashMap<(String, String), Secret>>,
}

impl Access {
    /// What these variables of an environment lead to.
    ///
    /// - `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`: see [`Proxies`].
    /// - `KIND_CERTS_DIR`, then `containers/certs.d` of the user's configuration, `/etc/containerd/certs.d`,
    ///   `/etc/docker/certs.d` and `/etc/containers/certs.d`: a directory for each registry, with containerd's
    ///   `hosts.toml` (mirrors) and docker's `*.crt`, `*.cert` and `*.key`.
    /// - `DOCKER_CONFIG` or `~/.docker`: docker's `config.json`. Then `REGISTRY_AUTH_FILE` and podman's
    ///   `auth.json`.
    pub fn from_environment(variables: &BTreeMap<String, String>) -> Self {
        let path = |name: &str| {
            let value = variables.get(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let home = path("HOME");
        // By their specification relative paths do not count.
        let xdg = |name: &str| path(name).filter(|path| path.is_absolute());
        let configuration = xdg("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        let user_certificates = configuration
            .as_ref()
            .map(|it| it.join("containers/certs.d"));
        let system = ["/etc/containerd", "/etc/docker", "/etc/containers"];
        let docker = path("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
        let runtime = xdg("XDG_RUNTIME_DIR");
        let auth = |directory: PathBuf| directory.join("containers/auth.json");
        Self {
            client: Client::new(Proxies::from_environment(variables)),
            certificates: path("KIND_CERTS_DIR")
                .into_iter()
                .chain(user_certificates)
                .chain(system.map(|it| PathBuf::from(it).join("certs.d")))
                .collect(),
            credentials: docker
                .map(|it| it.join("config.json"))
                .into_iter()
                .chain(path("REGISTRY_AUTH_FILE"))
                .chain(runtime.map(auth))
                .chain(configuration.map(auth))
                .collect(),
            path: variables.get("PATH").cloned(),
            reached: Mutex::default(),
            granted: Mutex::default(),
        }
    }

    /// Waits as long as this for every part of a request.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.client = self.client.timeouts(timeouts);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_directories_of_the_user_do_not_count() {
        let variables = [
            ("HOME", "/home/u"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_RUNTIME_DIR", "run"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let access = Access::from_environment(&variables.into());
        let expected = [
            "/home/u/.docker/config.json",
            "/home/u/.config/containers/auth.json",
        ];
        assert_eq!(access.credentials, expected.map(PathBuf::from));
        assert_eq!(
            access.certificates.first(),
            Some(&PathBuf::from("/home/u/.config/containers/certs.d"))
        );
    }
}
