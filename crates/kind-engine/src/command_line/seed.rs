//! Files that go into a node before its first process runs.
//!
//! A node's volumes hide what lies below them, and engines do not agree on whether a copy into a node that
//! does not run reaches its volumes: docker's does, podman's does not. So the files wait in the node's root,
//! packed as they came, and the first process (`kind-node seed`) unpacks them where all volumes are in place,
//! before it becomes the image's own. What a node needs is in the node: whoever starts it.

use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Flavor;
use super::program::Program;
use crate::{Error, NodeSpec, Purpose};

/// The sub-command of `kind-node` that unpacks the files and becomes the command after `--`.
pub(super) const COMMAND: &str = "seed";
/// Where it looks for tar archives, which it unpacks at `/` in the order of their names and removes.
const DIRECTORY: &str = "kind/seed";

/// Whether a node's files have to wait: podman's copies do not reach volumes, and a shared `/var` is filled by
/// the first process.
pub(super) fn is_needed(flavor: Flavor, node: &NodeSpec, shares_var: bool) -> bool {
    let unpacks =
        node.purpose == Purpose::Kubernetes && node.command.is_none() && node.node_agent.is_some();
    unpacks && (shares_var || flavor == Flavor::Podman)
}

/// Whether a node does not run, and unpacks what waits for it when it is started next.
pub(super) fn is_awaited(program: &Program, node: &str) -> Result<bool, Error> {
    let format = "{{.State.Running}} {{json .Config.Cmd}}";
    let answer =
        program.command_output(&["inspect", "--type=container", "--format", format, node])?;
    Ok(reads_seeds(&answer))
}

pub(super) fn reads_seeds(answer: &str) -> bool {
    let Some(command) = answer.trim().strip_prefix("false ") else {
        return false;
    };
    // `null` where the image has no arguments.
    let command: Option<Vec<String>> = serde_json::from_str(command).unwrap_or_default();
    command.is_some_and(|command| command.first().is_some_and(|first| first == COMMAND))
}

/// A tar stream that is unpacked below `directory` as a file that waits, in a tar stream of its own.
pub(super) fn pack_seed(directory: &Path, tar: &mut dyn Read) -> io::Result<Vec<u8>> {
    let seed = moved_below(directory, tar)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let name = format!("{DIRECTORY}/{:020}.tar", now.unwrap_or_default().as_nanos());
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(seed.len() as u64);
    // There are private keys in it.
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    builder.append_data(&mut header, name, &seed[..])?;
    builder.into_inner()
}

/// The same stream with names below `directory` of the root.
fn moved_below(directory: &Path, tar: &mut dyn Read) -> io::Result<Vec<u8>> {
    let below = directory.strip_prefix("/").unwrap_or(directory);
    if below.as_os_str().is_empty() {
        let mut same = Vec::new();
        tar.read_to_end(&mut same)?;
        return Ok(same);
    }
    let mut archive = tar::Archive::new(tar);
    let mut builder = tar::Builder::new(Vec::new());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?;
        let path = below.join(path.strip_prefix("/").unwrap_or(&path));
        let mut header = entry.header().clone();
        match entry.link_name()?.map(std::borrow::Cow::into_owned) {
            Some(target) => builder.append_link(&mut header, path, target)?,
            None => builder.append_data(&mut header, path, &mut entry)?,
        }
    }
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nodes_that_do_not_run_and_unpack_are_awaited() {
        for (answer, awaited) in [
            ("false [\"seed\",\"--\",\"/sbin/init\"]\n", true),
            ("true [\"seed\",\"--\",\"/sbin/init\"]\n", false),
            ("false [\"load-balancer\"]\n", false),
            ("false null\n", false),
            ("false []\n", false),
            ("", false),
        ] {
            assert_eq!(reads_seeds(answer), awaited, "{answer}");
        }
    }

    #[test]
    fn files_wait_in_docker_only_for_a_shared_var() {
        let node = NodeSpec {
            node_agent: Some(crate::Agent::file("/kind-node")),
            ..NodeSpec::default()
        };
        assert!(is_needed(Flavor::Podman, &node, false));
        assert!(is_needed(Flavor::Docker, &node, true));
        assert!(!is_needed(Flavor::Docker, &node, false));
        let balancer = NodeSpec {
            purpose: Purpose::LoadBalancer,
            ..node
        };
        assert!(!is_needed(Flavor::Podman, &balancer, false));
    }

    /// Paths of the files that a seed holds, with their link targets or contents.
    fn files(seed: &[u8]) -> Vec<(String, String)> {
        let mut outer = tar::Archive::new(seed);
        let mut entries = outer.entries().unwrap();
        let mut waiting = entries.next().unwrap().unwrap();
        assert!(waiting.path().unwrap().starts_with(DIRECTORY));
        assert_eq!(waiting.header().mode().unwrap(), 0o600);
        let mut content = Vec::new();
        waiting.read_to_end(&mut content).unwrap();
        let mut found = Vec::new();
        for entry in tar::Archive::new(&content[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            if let Some(target) = entry.link_name().unwrap() {
                text = target.display().to_string();
            }
            found.push((entry.path().unwrap().display().to_string(), text));
        }
        found
    }

    #[test]
    fn files_wait_as_they_came() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        let long = format!("lib/{}", "a".repeat(120));
        for path in ["etc", &long] {
            builder
                .append_data(&mut header.clone(), path, &b"x"[..])
                .unwrap();
        }
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, "link", "/etc").unwrap();
        let tar = builder.into_inner().unwrap();
        for (directory, prefix) in [("/", ""), ("/var/x", "var/x/")] {
            let seed = pack_seed(Path::new(directory), &mut &tar[..]).unwrap();
            let expected = [("etc", "x"), (long.as_str(), "x"), ("link", "/etc")];
            let expected =
                expected.map(|(path, text)| (format!("{prefix}{path}"), text.to_owned()));
            assert_eq!(files(&seed), expected);
        }
    }
}
