//! The CNI configuration of this node, kept in step with its pod range. In: the ranges that the cluster gives the
//! node. Out: the file that the container runtime reads.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use ipnet::IpNet;
use kind_node::cni;
use serde_json::Value;

/// The configuration could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write the CNI configuration")]
pub(crate) struct NotWritten(#[source] io::Error);

/// Writes the configuration at `path` unless it already gives pods addresses from these ranges.
/// A range in its file is all that the node's caller could get wrong.
pub(crate) fn follow_pod_cidrs(path: &Path, pod_cidrs: &[IpNet]) -> Result<(), NotWritten> {
    let wanted: BTreeSet<IpNet> = pod_cidrs.iter().copied().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mtu = read_mtu();
    let present = match fs::read_to_string(path) {
        // A link size that is not the node's makes the configuration one to be replaced.
        Ok(text) if mtu.is_none_or(|mtu| has_mtu(&text, mtu)) => parse_ranges(&text),
        Ok(_) => None,
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(NotWritten(error)),
    };
    if present == Some(wanted) {
        return Ok(());
    }
    tracing::info!(?pod_cidrs, "writing the CNI configuration");
    let cidrs: Vec<String> = pod_cidrs.iter().map(ToString::to_string).collect();
    write_conflist(path, &cni::conflist(&cidrs, mtu)).map_err(NotWritten)
}

fn has_mtu(text: &str, mtu: u32) -> bool {
    let list: Option<Value> = serde_json::from_str(text).ok();
    let plugins = list
        .as_ref()
        .and_then(|list| list.get("plugins")?.as_array());
    plugins.is_some_and(|plugins| plugins.iter().any(|plugin| plugin["mtu"] == mtu))
}

/// The ranges that pods of this node get addresses from.
pub(crate) fn own_ranges(path: &Path) -> Vec<IpNet> {
    let text = fs::read_to_string(path).unwrap_or_default();
    parse_ranges(&text)
        .unwrap_or_default()
        .into_iter()
        .collect()
}

/// The ranges in a configuration; `None` for a file that is none.
fn parse_ranges(text: &str) -> Option<BTreeSet<IpNet>> {
    let list: Value = serde_json::from_str(text).ok()?;
    let plugins = list.get("plugins")?.as_array()?;
    let ptp = plugins.iter().find(|plugin| plugin["type"] == "ptp")?;
    let sets = ptp.get("ipam")?.get("ranges")?.as_array()?.iter();
    sets.flat_map(|set| set.as_array().into_iter().flatten())
        .map(|range| range.get("subnet")?.as_str()?.parse().ok())
        .collect()
}

/// The link size that pods share with the node's own link.
fn read_mtu() -> Option<u32> {
    let text = fs::read_to_string("/sys/class/net/eth0/mtu").ok()?;
    text.trim().parse().ok()
}

/// Writes the file as one step: the runtime looks into the directory at any time.
fn write_conflist(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("conflist.temp");
    fs::write(&draft, text)?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidrs(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_configuration_with_the_same_ranges_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("10-kindnet.conflist");
        let cidr = cidrs(&["10.244.0.0/24", "fd00::/64"]);
        follow_pod_cidrs(&path, &cidr).unwrap();
        // Same meaning, other words: another writer's formatting is its own affair.
        let compact: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        fs::write(&path, compact.to_string()).unwrap();
        follow_pod_cidrs(&path, &cidr).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), compact.to_string());
        follow_pod_cidrs(&path, &[]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), compact.to_string());
    }

    #[test]
    fn other_ranges_and_broken_files_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("10-kindnet.conflist");
        for text in [
            "",
            "{",
            "{}",
            &cni::conflist(&["10.244.9.0/24".into()], None),
        ] {
            fs::write(&path, text).unwrap();
            follow_pod_cidrs(&path, &cidrs(&["10.244.1.0/24"])).unwrap();
            let written = fs::read_to_string(&path).unwrap();
            assert_eq!(
                parse_ranges(&written),
                Some(BTreeSet::from_iter(cidrs(&["10.244.1.0/24"])))
            );
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }
}
