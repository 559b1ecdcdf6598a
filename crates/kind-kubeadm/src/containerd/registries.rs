//! Where containerd pulls images from: one directory for each registry.

use std::fmt::Write;

use kind_config::Registry;
use serde_json::{Value, json};

use super::Settings;
use super::names::images_plugin;

/// Below this directory containerd looks for the settings of a registry.
const DIRECTORY: &str = "/etc/containerd/certs.d";

/// Files for the cluster's registries: paths in a node and their content. Format: containerd's `docs/hosts.md`.
pub fn registry_files(settings: &Settings) -> Vec<(String, String)> {
    let files = settings.registries.iter().flat_map(host_files);
    files.collect()
}

fn host_files(registry: &Registry) -> Vec<(String, String)> {
    let directory = format!("{DIRECTORY}/{}", registry.host);
    let mut hosts = String::new();
    let mut files = Vec::new();
    for (index, mirror) in registry.mirrors.iter().enumerate() {
        if index > 0 {
            hosts.push('\n');
        }
        let _ = writeln!(hosts, "[host.\"{}\"]", mirror.url);
        hosts.push_str("  capabilities = [\"pull\", \"resolve\"]\n");
        if mirror.skip_verify {
            hosts.push_str("  skip_verify = true\n");
        }
        if let Some(ca) = &mirror.ca {
            let path = format!("{directory}/mirror-{index}.crt");
            let _ = writeln!(hosts, "  ca = \"{path}\"");
            files.push((path, ca.text.clone()));
        }
    }
    files.push((format!("{directory}/hosts.toml"), hosts));
    files
}

/// Has containerd look for registries' files. Images of today do; those of kind before v0.27 do not.
pub(super) fn enable_registries(config: &mut Value, version: i64) {
    let plugin = images_plugin(version);
    let path = &config["plugins"][plugin]["registry"]["config_path"];
    if path.as_str().unwrap_or_default().is_empty() {
        let wanted = json!({ "plugins": { plugin: { "registry": { "config_path": DIRECTORY } } } });
        json_patch::merge(config, &wanted);
    }
}

#[cfg(test)]
mod tests {
    use kind_config::{Cluster, FileOrText, Mirror};

    use super::*;

    #[test]
    fn every_registry_has_its_directory() {
        let mut corporate = Mirror::new("https://mirror.corp:5000/v2/hub");
        corporate.ca = Some(FileOrText::text("PEM"));
        let mut unsafe_one = Mirror::new("https://10.0.0.1");
        unsafe_one.skip_verify = true;
        let cluster = Cluster::default()
            .registry(
                Registry::new("docker.io")
                    .mirror(corporate)
                    .mirror(unsafe_one),
            )
            .registry(
                Registry::new("localhost:5001").mirror(Mirror::new("http://kind-registry:5000")),
            );
        let owned = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        assert_eq!(
            registry_files(&Settings::new(&cluster).unwrap()),
            [
                owned("/etc/containerd/certs.d/docker.io/mirror-0.crt", "PEM"),
                owned(
                    "/etc/containerd/certs.d/docker.io/hosts.toml",
                    "[host.\"https://mirror.corp:5000/v2/hub\"]\n  capabilities = [\"pull\", \"resolve\"]\n  \
                     ca = \"/etc/containerd/certs.d/docker.io/mirror-0.crt\"\n\n\
                     [host.\"https://10.0.0.1\"]\n  capabilities = [\"pull\", \"resolve\"]\n  skip_verify = true\n",
                ),
                owned(
                    "/etc/containerd/certs.d/localhost:5001/hosts.toml",
                    "[host.\"http://kind-registry:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n",
                ),
            ]
        );
    }

    #[test]
    fn containerd_is_told_to_look_there() {
        for (version, plugin) in [
            (2, "io.containerd.grpc.v1.cri"),
            (3, "io.containerd.cri.v1.images"),
        ] {
            let mut config = json!({ "version": version });
            enable_registries(&mut config, version);
            let set = json!({ "config_path": DIRECTORY });
            assert_eq!(config["plugins"][plugin]["registry"], set);
            let mut own =
                json!({ "plugins": { plugin: { "registry": { "config_path": "/own" } } } });
            let before = own.clone();
            enable_registries(&mut own, version);
            assert_eq!(own, before);
        }
    }
}
