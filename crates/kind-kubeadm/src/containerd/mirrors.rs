//! Mirrors of registries in the form that containerd had before it looked for a directory of each: beside `config_path`,
//! CRI does not load with them (`ValidateImageConfig` of its `internal/cri/config`).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value};

use super::names::{images_plugin, plugin_table};

/// What containerd's `hosts.toml` calls every registry that has none of its own.
const EVERY_OTHER: &str = "_default";

/// Takes mirrors, and what is said of servers' certificates, out of a configuration that has a `config_path`. Returns
/// the files that say the same: paths and contents.
pub(super) fn take_mirrors(config: &mut Value, version: i64) -> Vec<(String, String)> {
    let Some(registry) = plugin_table(config, images_plugin(version))
        .and_then(|plugin| plugin.get_mut("registry"))
        .and_then(Value::as_object_mut)
    else {
        return Vec::new();
    };
    let directory = registry.get("config_path").and_then(Value::as_str);
    let directory = directory.and_then(|path| path.split(':').find(|path| !path.is_empty()));
    let Some(directory) = directory.map(str::to_owned) else {
        return Vec::new();
    };
    let mirrors = match registry.remove("mirrors") {
        Some(Value::Object(mirrors)) => mirrors,
        _ => Map::new(),
    };
    let certificates = take_certificates(registry);
    let files = host_files(&mirrors, &certificates).into_iter();
    let files = files.map(|(host, text)| (format!("{directory}/{host}/hosts.toml"), text));
    files.collect()
}

/// Takes `configs.HOST.tls` away; logins stay.
fn take_certificates(registry: &mut Map<String, Value>) -> BTreeMap<String, Value> {
    let Some(configs) = registry.get_mut("configs").and_then(Value::as_object_mut) else {
        return BTreeMap::new();
    };
    let mut taken = BTreeMap::new();
    for (host, config) in configs.iter_mut() {
        let config = config.as_object_mut();
        taken.extend(config.and_then(|config| Some((host.clone(), config.remove("tls")?))));
    }
    configs.retain(|_, config| config.as_object().is_none_or(|config| !config.is_empty()));
    if configs.is_empty() {
        registry.remove("configs");
    }
    taken
}

/// The files' texts by the registries that they are for.
fn host_files(
    mirrors: &Map<String, Value>,
    certificates: &BTreeMap<String, Value>,
) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (host, mirror) in mirrors {
        let endpoints = mirror["endpoint"].as_array().into_iter().flatten();
        let mut text = String::new();
        for endpoint in endpoints.filter_map(Value::as_str) {
            write_host(&mut text, endpoint, certificates.get(place_of(endpoint)));
        }
        let host = if host == "*" { EVERY_OTHER } else { host };
        files.insert(host.to_owned(), text);
    }
    for (host, tls) in certificates {
        files.entry(host.clone()).or_insert_with(|| {
            let server = format!("https://{host}");
            let mut text = format!("server = {}\n\n", quoted(&server));
            write_host(&mut text, &server, Some(tls));
            text
        });
    }
    files
}

/// Host and port of a URL.
fn place_of(endpoint: &str) -> &str {
    let rest = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// One server. Format: containerd's `docs/hosts.md`.
fn write_host(text: &mut String, endpoint: &str, tls: Option<&Value>) {
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    let _ = writeln!(text, "[host.{}]", quoted(endpoint));
    text.push_str("  capabilities = [\"pull\", \"resolve\"]\n");
    let path = endpoint
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'));
    if path.is_some() {
        // A path was all of it, without `/v2` behind it.
        text.push_str("  override_path = true\n");
    }
    let of = |name: &str| {
        tls.and_then(|tls| tls[name].as_str())
            .filter(|file| !file.is_empty())
    };
    if tls.is_some_and(|tls| tls["insecure_skip_verify"] == true) {
        text.push_str("  skip_verify = true\n");
    }
    if let Some(ca) = of("ca_file") {
        let _ = writeln!(text, "  ca = {}", quoted(ca));
    }
    if let (Some(certificate), Some(key)) = (of("cert_file"), of("key_file")) {
        let _ = writeln!(
            text,
            "  client = [[{}, {}]]",
            quoted(certificate),
            quoted(key)
        );
    }
}

/// A string of TOML; JSON's are such.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::names::{CRI, IMAGES};
    use super::*;

    #[test]
    fn mirrors_beside_config_path_become_files() {
        let registry = json!({
            "config_path": "/etc/containerd/certs.d:/etc/docker/certs.d",
            "mirrors": {
                "localhost:5001": { "endpoint": ["http://kind-registry:5000"] },
                "*": { "endpoint": ["https://mirror.corp/proxy/v2", "https://other"] },
            },
            "configs": {
                "mirror.corp": { "tls": { "insecure_skip_verify": true } },
                "own:1": { "tls": { "ca_file": "/a", "cert_file": "/b", "key_file": "/c" }, "auth": { "username": "u" } },
            },
        });
        for (version, plugin) in [(2, CRI), (3, IMAGES)] {
            let mut config = json!({ "plugins": { plugin: { "registry": registry } } });
            let files = take_mirrors(&mut config, version);
            let expected = json!({
                "config_path": "/etc/containerd/certs.d:/etc/docker/certs.d",
                "configs": { "own:1": { "auth": { "username": "u" } } },
            });
            assert_eq!(config["plugins"][plugin]["registry"], expected);
            let head = "  capabilities = [\"pull\", \"resolve\"]\n";
            let texts = [
                (
                    "_default",
                    format!(
                        "[host.\"https://mirror.corp/proxy/v2\"]\n{head}  override_path = true\n  skip_verify = true\n\n\
                         [host.\"https://other\"]\n{head}"
                    ),
                ),
                (
                    "localhost:5001",
                    format!("[host.\"http://kind-registry:5000\"]\n{head}"),
                ),
                (
                    "mirror.corp",
                    format!(
                        "server = \"https://mirror.corp\"\n\n[host.\"https://mirror.corp\"]\n{head}  skip_verify = true\n"
                    ),
                ),
                (
                    "own:1",
                    format!(
                        "server = \"https://own:1\"\n\n[host.\"https://own:1\"]\n{head}  ca = \"/a\"\n  \
                         client = [[\"/b\", \"/c\"]]\n"
                    ),
                ),
            ];
            let texts = texts
                .map(|(host, text)| (format!("/etc/containerd/certs.d/{host}/hosts.toml"), text));
            assert_eq!(files, texts);
        }
    }

    #[test]
    fn mirrors_without_config_path_stay() {
        for config_path in [json!(""), Value::Null] {
            let before = json!({ "plugins": { CRI: { "registry": {
                "config_path": config_path, "mirrors": { "a": { "endpoint": ["http://b"] } },
            } } } });
            let mut config = before.clone();
            assert_eq!(take_mirrors(&mut config, 2), []);
            assert_eq!(config, before);
        }
        assert_eq!(take_mirrors(&mut json!({}), 2), []);
    }
}
