//! The records of nodes and networks on disk.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use kind_sys::process::{self, Pid};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::last_words;
use super::state::{NodeDirectory, State, file_name, io_error, write_atomically};
use crate::{Code, Error, HostConfig, Purpose};

/// Where programs are looked for unless the image says.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Version of the records' form. A program refuses records that are newer than it knows.
pub(super) const VERSION: u32 = 1;

/// Everything about a node that outlives its processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) image: String,
    pub(super) labels: BTreeMap<String, String>,
    /// Nanoseconds since 1970 when it was made: nodes are listed newest first.
    pub(super) created: u64,
    /// Unpacked layers of the image, the lowest first.
    pub(super) layers: Vec<PathBuf>,
    /// First process.
    pub(super) argv: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) network: String,
    pub(super) ipv4: Ipv4Addr,
    pub(super) ipv6: Option<Ipv6Addr>,
    /// IPv6 packets are forwarded.
    pub(super) ipv6_forwarding: bool,
    #[serde(flatten)]
    pub(super) host: HostConfig,
    /// Directories of the image's `/var` that are shown read-only instead of being copied: where they
    /// are on the host, and where below `/var` they belong.
    pub(super) shared: Vec<(PathBuf, PathBuf)>,
    #[serde(rename = "kind_node")]
    pub(super) node_agent: Option<PathBuf>,
    /// What takes the place of the image's `/var/lib/containerd`.
    #[serde(default, rename = "prepared")]
    pub(super) shared_image_store: Option<PathBuf>,
    #[serde(default)]
    pub(super) purpose: Purpose,
}

/// A network of nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NetworkRecord {
    pub(super) version: u32,
    pub(super) name: String,
    /// Name of the bridge, and of the nftables table.
    pub(super) bridge: String,
    pub(super) ipv4: Ipv4Net,
    pub(super) ipv6: Option<Ipv6Net>,
}

/// A node's processes on the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RunRecord {
    /// The node's first process, as the host numbers it.
    pub(super) pid: i32,
}

impl NodeRecord {
    pub(super) fn load(directory: &NodeDirectory) -> Result<Self, Error> {
        let name = || {
            let name = directory.path().file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let record: Option<Self> = load_record(&directory.file("node.json"))?;
        let record = record.ok_or_else(|| Error::NoSuchNode(name()))?;
        check_version(record.version, &directory.file("node.json"))?;
        Ok(record)
    }

    pub(super) fn save(&self, directory: &NodeDirectory) -> Result<(), Error> {
        save_record(&directory.file("node.json"), self)
    }

    /// The records of all nodes that can be read; damaged ones only count for removal.
    pub(super) fn load_all(state: &State) -> Result<Vec<Self>, Error> {
        let names = state.node_names()?;
        Ok(names
            .iter()
            .filter_map(|name| Self::load(&state.node(name)).ok())
            .collect())
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        [Some(IpAddr::V4(self.ipv4)), self.ipv6.map(IpAddr::V6)]
            .into_iter()
            .flatten()
    }
}

impl NetworkRecord {
    pub(super) fn load(state: &State, name: &str) -> Result<Option<Self>, Error> {
        let path = Self::path(state, name);
        let record: Option<Self> = load_record(&path)?;
        if let Some(record) = &record {
            check_version(record.version, &path)?;
        }
        Ok(record)
    }

    pub(super) fn save(&self, state: &State) -> Result<(), Error> {
        save_record(&Self::path(state, &self.name), self)
    }

    pub(super) fn load_all(state: &State) -> Result<Vec<Self>, Error> {
        let names = super::state::names_in(&state.networks())?;
        let names = names.iter().filter_map(|name| name.strip_suffix(".json"));
        names
            .filter_map(|name| Self::load(state, name).transpose())
            .collect()
    }

    pub(super) fn path(state: &State, name: &str) -> PathBuf {
        state.networks().join(format!("{}.json", file_name(name)))
    }

    /// The `/etc/hosts` that nodes of the network shared when earlier versions started them.
    pub(super) fn hosts_path(state: &State, name: &str) -> PathBuf {
        state.networks().join(format!("{}.hosts", file_name(name)))
    }

    pub(super) fn subnets(&self) -> Vec<IpNet> {
        [Some(IpNet::V4(self.ipv4)), self.ipv6.map(IpNet::V6)]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl RunRecord {
    pub(super) fn load(directory: &NodeDirectory) -> Result<Option<Self>, Error> {
        load_record(&directory.file("run.json"))
    }

    pub(super) fn save(&self, directory: &NodeDirectory) -> Result<(), Error> {
        save_record(&directory.file("run.json"), self)
    }
}

fn load_record<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|source| Error::Record {
            path: path.to_owned(),
            source,
        })
}

fn save_record<T: Serialize>(path: &Path, record: &T) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(record).map_err(|source| Error::Record {
        path: path.to_owned(),
        source,
    })?;
    write_atomically(path, &text)
}

fn check_version(version: u32, path: &Path) -> Result<(), Error> {
    if version <= VERSION {
        return Ok(());
    }
    Err(Error::other(
        Code::RecordNewer,
        format!("{} was written by a newer kind", path.display()),
        "use the kind that made the cluster, or a newer one",
    ))
}

/// The first process of a running node.
pub(super) fn first_process(directory: &NodeDirectory, name: &str) -> Result<Pid, Error> {
    if !directory.exists() {
        return Err(Error::NoSuchNode(name.to_owned()));
    }
    let run = if directory.is_running() {
        RunRecord::load(directory)?
    } else {
        None
    };
    run.and_then(|run| process::pid(run.pid)).ok_or_else(|| {
        let mut message = format!("node {name} is not running");
        match last_words::describe_end(directory) {
            end if end.is_empty() => {}
            end => message.push_str(&format!(": {end}")),
        }
        Error::other(
            Code::NodeStopped,
            message,
            "see its last words with `kind export logs`, or delete the cluster and create it again",
        )
    })
}
