//! Extra mounts that would give a new etcd the data of another cluster.

use std::fs;
use std::path::Path;

use kind_config::{Cluster, Mount, Node, Role};

use crate::error::Cause;
use crate::{Code, Error, Result};

/// Where kubeadm has etcd keep its data.
const DATA: &str = "/var/lib/etcd";
/// What etcd makes there first.
const MEMBER: &str = "member";
/// Where keys are.
const KEYS: &str = "/etc/kubernetes";

/// Refuses data of another cluster: an etcd that finds some goes on with it, and what Kubernetes keeps there is signed
/// and encrypted by keys that the new cluster does not have. Who brings the keys too goes on with a cluster of old.
pub(super) fn check_etcd_data(cluster: &Cluster, directory: &Path) -> Result<()> {
    let nodes = cluster.nodes.iter().enumerate();
    let mut mounts = nodes
        .filter(|(_, node)| node.role == Role::ControlPlane && !brings_keys(node))
        .flat_map(|(node, config)| {
            let mounts = config.extra_mounts.iter().enumerate();
            mounts.map(move |(index, mount)| (node, index, mount))
        });
    match mounts.find(|(.., mount)| has_data(mount, directory)) {
        Some((node, index, mount)) => {
            let field = format!("nodes[{node}].extraMounts[{index}]");
            Err(refuse(&field, mount))
        }
        None => Ok(()),
    }
}

fn brings_keys(node: &Node) -> bool {
    let mut mounts = node.extra_mounts.iter();
    mounts.any(|mount| Path::new(&mount.container_path).starts_with(KEYS))
}

/// Whether etcd would find data in what is mounted.
fn has_data(mount: &Mount, directory: &Path) -> bool {
    let Ok(below) = Path::new(&mount.container_path).strip_prefix(DATA) else {
        return false;
    };
    let host = directory.join(&mount.host_path);
    if below.as_os_str().is_empty() {
        return has_entries(&host.join(MEMBER));
    }
    below.starts_with(MEMBER) && has_entries(&host)
}

fn has_entries(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

fn refuse(field: &str, mount: &Mount) -> Error {
    let (host, container) = (&mount.host_path, &mount.container_path);
    let found = format!("{field}: {host}, mounted at {container}, holds data of another cluster");
    let remedy = format!("empty {host}, or mount an empty directory");
    Error::Config(Cause::new(Code::Config, found).with_remedy(Some(remedy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_another_cluster_is_refused() {
        let host = tempfile::tempdir().unwrap();
        let check = |node: Node, from: &str, to: &str| {
            let cluster = Cluster::named("a").node(node.mount(Mount::new(from, to)));
            check_etcd_data(&cluster, host.path())
        };
        fs::create_dir_all(host.path().join("old/member/wal")).unwrap();
        fs::create_dir_all(host.path().join("empty/member")).unwrap();
        let error = check(Node::control_plane(), "old", "/var/lib/etcd").unwrap_err();
        let told =
            "nodes[0].extraMounts[0]: old, mounted at /var/lib/etcd, holds data of another cluster";
        assert_eq!(
            (error.to_string().as_str(), error.code()),
            (told, Code::Config)
        );
        assert!(error.remedy().unwrap().contains("mount an empty directory"));
        assert!(check(Node::control_plane(), "old/member", "/var/lib/etcd/member").is_err());
        for (node, from, to) in [
            (Node::control_plane(), "empty", "/var/lib/etcd"),
            (Node::control_plane(), "none", "/var/lib/etcd"),
            (Node::control_plane(), "old", "/var/lib/etcd-backup"),
            (Node::worker(), "old", "/var/lib/etcd"),
            (
                Node::control_plane().mount(Mount::new("pki", "/etc/kubernetes/pki")),
                "old",
                "/var/lib/etcd",
            ),
        ] {
            assert!(check(node, from, to).is_ok(), "{from} {to}");
        }
    }
}
