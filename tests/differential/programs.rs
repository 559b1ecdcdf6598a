//! The two programs, and what they make of a configuration.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kind_testkit::golden::without_discovery;
use tempfile::TempDir;

use crate::configuration::Case;

/// What a program made of a configuration: its files by node and name, or its words when it refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// Names of files as they are in the node, without directories.
    Files(BTreeMap<(String, String), String>),
    /// What it said.
    Refusal(String),
}

/// The original kind on an engine that only records, and ours.
pub(crate) struct Programs {
    theirs: PathBuf,
    ours: PathBuf,
    directory: TempDir,
}

impl Programs {
    /// Fetches the original; the error says why that is not possible.
    pub(crate) fn new(ours: PathBuf) -> Result<Self, String> {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian-kind");
        let theirs = kind_e2e::reference_kind(&kept)?;
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        for name in ["home", "bin", "nothing"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/engine.sh");
        symlink(engine, directory.path().join("bin/docker")).unwrap();
        fs::write(directory.path().join("containerd.toml"), CONTAINERD).unwrap();
        Ok(Self {
            theirs,
            ours,
            directory,
        })
    }

    /// What the original makes.
    pub(crate) fn theirs(&self, case: &Case) -> Made {
        let record = tempfile::tempdir().unwrap();
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = self.command(&self.theirs, case, &path);
        command
            .arg("--retain")
            .env("RECORD", record.path())
            .env("KUBERNETES_VERSION", case.version)
            .env("CONTAINERD_CONFIG", self.path("containerd.toml"));
        let said = said(&mut command).1;
        let files = recorded(record.path());
        // The one error after the files are written is the one that the engine makes up.
        if said.contains("failed to init node with kubeadm") {
            Made::Files(files)
        } else {
            Made::Refusal(said)
        }
    }

    /// What ours would make.
    pub(crate) fn ours(&self, case: &Case) -> Made {
        let nothing = self.path("nothing").display().to_string();
        let mut command = self.command(&self.ours, case, &nothing);
        command
            .args(["--dry-run", "--output=json", "--kubernetes-version"])
            .arg(case.version)
            .arg("--containerd-config")
            .arg(self.path("containerd.toml"));
        let (plan, said) = said(&mut command);
        match serde_json::from_str(&plan) {
            Ok(plan) => Made::Files(planned(&plan)),
            Err(_) => Made::Refusal(message(&said)),
        }
    }

    /// `create cluster` with the case's configuration.
    fn command(&self, program: &Path, case: &Case, path: &str) -> Command {
        let config = self.path("config.yaml");
        fs::write(&config, case.text()).unwrap();
        let mut command = Command::new(program);
        command
            .args(["create", "cluster", "--config"])
            .arg(config)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("KIND_STATE_DIR", self.path("state"))
            .env("KIND_EXPERIMENTAL_PROVIDER", "docker")
            .current_dir(self.directory.path());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// What a program printed and what it said.
fn said(command: &mut Command) -> (String, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The text of the error that ended our program.
fn message(said: &str) -> String {
    let last = said.lines().last().unwrap_or_default();
    let error: Option<serde_json::Value> = serde_json::from_str(last).ok();
    let message = error.and_then(|error| error["message"].as_str().map(str::to_owned));
    message.unwrap_or_else(|| said.to_owned())
}

fn recorded(record: &Path) -> BTreeMap<(String, String), String> {
    let mut files = BTreeMap::new();
    for node in names(record) {
        for file in names(&record.join(&node)) {
            let text = fs::read_to_string(record.join(&node).join(&file)).unwrap();
            let (name, text) = match file.as_str() {
                // The original's load balancer is another program; both lead to the same control planes.
                "lds.yaml.tmp" => continue,
                "cds.yaml.tmp" => (MEMBERS.to_owned(), members_of_envoy(&text)),
                "kubeadm.conf" => (file, without_discovery(&text)),
                _ => (file, text),
            };
            files.insert((node.clone(), name), text);
        }
    }
    files
}

/// What a load balancer leads to, one `NAME:PORT` a line.
const MEMBERS: &str = "members";

fn members_of_envoy(text: &str) -> String {
    let value = |line: &str, key| line.trim().strip_prefix(key).map(str::to_owned);
    let names = text.lines().filter_map(|line| value(line, "address: "));
    let ports = text.lines().filter_map(|line| value(line, "port_value: "));
    let members = names.zip(ports);
    members
        .map(|(name, port)| format!("{name}:{port}\n"))
        .collect()
}

fn members_of_ours(text: &str) -> String {
    let settings: serde_json::Value = serde_json::from_str(text).unwrap();
    let members = settings["members"].as_array().unwrap().iter();
    members
        .map(|member| format!("{}\n", member.as_str().unwrap()))
        .collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// The files of a plan, without those that only our nodes have.
fn planned(plan: &serde_json::Value) -> BTreeMap<(String, String), String> {
    const OWN: [&str; 2] = ["10-kindnet.conflist", "kubeadm-start.conf"];
    let mut files = BTreeMap::new();
    for node in plan["nodes"].as_array().unwrap() {
        for (path, text) in node["files"].as_object().unwrap() {
            let (name, text) = (path.rsplit('/').next().unwrap(), text.as_str().unwrap());
            let (name, text) = match name {
                own if OWN.contains(&own) => continue,
                "load-balancer.json" => (MEMBERS, members_of_ours(text)),
                "kubeadm.conf" => (name, without_discovery(text)),
                _ => (name, text.to_owned()),
            };
            let node = node["name"].as_str().unwrap().to_owned();
            files.insert((node, name.to_owned()), text);
        }
    }
    files
}

/// A configuration of containerd as node images have it.
const CONTAINERD: &str = r#"version = 2
imports = ["/etc/containerd/conf.d/*.toml"]

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    sandbox_image = "registry.k8s.io/pause:3.10"
    tolerate_missing_hugetlb_controller = true
    [plugins."io.containerd.grpc.v1.cri".containerd]
      default_runtime_name = "runc"
      discard_unpacked_layers = true
      snapshotter = "overlayfs"
"#;
