//! What kind v0.33.0 did with given inputs (`golden/README.md` says how to read the files).

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// The directory of the recorded data.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Reads a file of the recorded data.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = directory().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A configuration and what reading it gave.
#[derive(Debug, Clone)]
pub struct ConfigCase {
    /// Text of the configuration.
    pub input: String,
    /// The result: `OK …`, or `PARSE ERR: ` or `VALIDATE ERR: ` with the error's text.
    pub result: String,
}

/// The configurations of `config-parse-cases.txt`.
pub fn config_cases() -> Vec<ConfigCase> {
    let text = read("config-parse-cases.txt");
    let mut lines = text.lines();
    let mut cases = Vec::new();
    while let Some(input) = lines.next().filter(|line| line.starts_with('"')) {
        let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
        let result = lines.next().expect("a result follows each input").trim();
        cases.push(ConfigCase {
            input: unquote(input).replace("<H>", header),
            result: match result.split_once(": \"") {
                Some((what, _)) if what.ends_with("ERR") => {
                    format!("{what}: {}", unquote(&result[what.len() + 2..]))
                }
                _ => result.to_owned(),
            },
        });
    }
    cases
}

fn unquote(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// One recorded `create cluster`.
#[derive(Debug, Clone)]
pub struct CreateCase {
    /// Name of the case: its directory below `golden/create`.
    pub name: String,
    /// Name of the engine.
    pub engine: String,
    /// Kubernetes version of the node image.
    pub kubernetes_version: String,
    /// Environment, and the stub engine's properties as `STUB_…`.
    pub env: BTreeMap<String, String>,
    /// Text of the configuration.
    pub config: String,
    /// The nodes, load balancer included, in the order of their names. Empty where none was made.
    pub nodes: Vec<RecordedNode>,
}

/// A node of a recorded `create cluster`.
#[derive(Debug, Clone)]
pub struct RecordedNode {
    /// Container name.
    pub name: String,
    /// IPv4 address on the network.
    pub ipv4: Ipv4Addr,
    /// IPv6 address on the network.
    pub ipv6: Ipv6Addr,
    /// Files that were written to the node.
    pub files: BTreeMap<String, String>,
}

impl CreateCase {
    /// True if the engine ran without root.
    pub fn rootless(&self) -> bool {
        self.env.contains_key("STUB_ROOTLESS")
    }

    /// Reads one of the case's own files, for example `runs.txt`.
    pub fn read(&self, file: &str) -> String {
        read(Path::new("create").join(&self.name).join(file))
    }
}

/// A `kubeadm.conf` without the lines in which a dry run of ours differs from kind, for these reasons and no others:
///
/// - the token of kind is the same in every cluster, ours is new for each (two lines);
/// - whoever joins kind's cluster trusts it unseen, ours is known by the digest of its authority, wherever that is made
///   beforehand (one line of kind's, two of ours).
pub fn without_discovery(text: &str) -> String {
    const OF_KIND: [&str; 3] = [
        "- token: abcdef.0123456789abcdef",
        "    token: abcdef.0123456789abcdef",
        "    unsafeSkipCAVerification: true",
    ];
    const OURS: [&str; 4] = [
        "- token: <random>",
        "    token: <random>",
        "    caCertHashes:",
        "    - sha256:<random>",
    ];
    let kept = text.split_inclusive('\n').filter(|line| {
        !OF_KIND
            .iter()
            .chain(&OURS)
            .any(|known| line.trim_end() == *known)
    });
    kept.collect()
}

/// Every recorded `create cluster`.
pub fn create_cases() -> Vec<CreateCase> {
    entries(&directory().join("create"))
        .into_iter()
        .map(create_case)
        .collect()
}

fn create_case(name: String) -> CreateCase {
    let file = |file: &str| read(Path::new("create").join(&name).join(file));
    let case: serde_json::Value =
        serde_json::from_str(&file("case.json")).expect("case.json is JSON");
    let text = |key: &str, default: &str| case[key].as_str().unwrap_or(default).to_owned();
    let env = case["env"].as_object().into_iter().flatten();
    CreateCase {
        engine: text("engine", "docker"),
        kubernetes_version: text("k8s", "v1.36.1"),
        env: env
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        config: file("config.yaml"),
        nodes: nodes(&directory().join("create").join(&name).join("nodes")),
        name,
    }
}

fn nodes(directory: &Path) -> Vec<RecordedNode> {
    if !directory.exists() {
        return Vec::new();
    }
    (2..)
        .zip(entries(directory))
        .map(|(host, name)| {
            let directory = directory.join(&name);
            let files = entries(&directory).into_iter().map(|file| {
                let text = fs::read_to_string(directory.join(&file)).expect("files are text");
                (file, text)
            });
            RecordedNode {
                ipv4: Ipv4Addr::new(172, 18, 0, host),
                ipv6: Ipv6Addr::new(0xfc00, 0xf853, 0xccd, 0xe793, 0, 0, 0, host.into()),
                files: files.collect(),
                name,
            }
        })
        .collect()
}

fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.expect("directories can be listed").file_name())
        .map(|name| name.into_string().expect("names are text"))
        .collect();
    names.sort();
    names
}
