//! Control planes that come to the cluster or leave it after it was made.
//!
//! The cluster's nodes say who they are. Whoever is new is noted in the load balancer's own file, and so is
//! the end of one that was deleted; the file is followed as if a user had written it, and kept over restarts.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Node;
use kind_node::load_balancer::Settings;

use crate::kubernetes;
use crate::kubernetes::store::{self, Store};

/// Labels of control planes, the second until 1.23.
const LABELS: [&str; 2] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
];
/// How often a kubeconfig that is not there yet is looked for.
const KUBECONFIG_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Keeps the file at `path` in step with the cluster, for ever, once there is a kubeconfig to ask by.
pub(super) async fn keep_members(path: &Path, kubeconfig: &Path) {
    let client = loop {
        match kubernetes::client_of(kubeconfig).await {
            Ok(client) => break client,
            Err(_) => tokio::time::sleep(KUBECONFIG_POLL_INTERVAL).await,
        }
    };
    let mut events = pin!(store::watch_objects::<Node>(&client));
    let mut nodes = Store::default();
    let mut seen = BTreeSet::new();
    while let Some(event) = events.next().await {
        let news = match event {
            Ok(event) => nodes.apply_event(event, |node| is_control_plane(&node).then_some(())),
            Err(error) => {
                tracing::debug!(%error, "no answer from the API server");
                false
            }
        };
        if news && nodes.complete() {
            let present = nodes
                .all_objects()
                .keys()
                .map(|key| key.name.clone())
                .collect();
            if let Err(error) = note_members(path, &seen, &present) {
                tracing::warn!(%error, "the members cannot be written");
            }
            seen.extend(present);
        }
    }
}

fn is_control_plane(node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    labels.is_some_and(|labels| LABELS.iter().any(|label| labels.contains_key(*label)))
}

/// Writes the file anew if it says something else than the cluster.
fn note_members(
    path: &Path,
    seen: &BTreeSet<String>,
    present: &BTreeSet<String>,
) -> io::Result<()> {
    let mut settings: Settings = serde_json::from_slice(&std::fs::read(path)?)?;
    let members = choose_members(&settings, seen, present);
    if members == settings.members {
        return Ok(());
    }
    settings.members = members;
    let draft = path.with_extension("new");
    std::fs::write(&draft, settings.text())?;
    std::fs::rename(draft, path)
}

/// The members after what was seen. One that was never seen may be about to come: nodes of a new cluster
/// are members before they are nodes.
fn choose_members(
    settings: &Settings,
    seen: &BTreeSet<String>,
    present: &BTreeSet<String>,
) -> Vec<String> {
    let member = |name: &String| format!("{name}:{}", settings.port);
    let gone: Vec<_> = seen.difference(present).map(member).collect();
    let mut members = settings.members.clone();
    members.retain(|member| !gone.contains(member));
    for new in present.iter().map(member) {
        if !members.contains(&new) {
            members.push(new);
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn who_comes_is_added_and_who_was_seen_before_is_missed() {
        let settings = Settings::new(6443, ["a", "b"]);
        let members = |seen: &[&str], present: &[&str]| {
            choose_members(&settings, &names(seen), &names(present)).join(" ")
        };
        assert_eq!(members(&[], &["a"]), "a:6443 b:6443");
        assert_eq!(members(&["a"], &["a", "b", "c"]), "a:6443 b:6443 c:6443");
        assert_eq!(members(&["a", "b"], &["a"]), "a:6443");
    }

    #[test]
    fn the_file_is_left_alone_unless_it_must_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("load-balancer.json");
        std::fs::write(&path, "{\"port\": 1, \"members\": [\"a:1\"]}").unwrap();
        let before = std::fs::read(&path).unwrap();
        note_members(&path, &names(&[]), &names(&["a"])).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
        note_members(&path, &names(&["a"]), &names(&["b"])).unwrap();
        let after = std::fs::read_to_string(&path).unwrap();
        assert_eq!(after, Settings::new(1, ["b"]).text());
    }
}
