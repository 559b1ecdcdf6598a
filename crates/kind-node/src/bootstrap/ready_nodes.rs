//! Waiting until the nodes with a label are Ready.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams};
use tokio::time::{sleep, timeout};

use super::admin_client;
use crate::usage::{exit_with_failure, exit_with_usage};

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Waits for the nodes with that label, at least one: `LABEL SECONDS`.
pub(crate) fn await_ready_nodes(arguments: &[String]) -> ExitCode {
    let [label, seconds] = arguments else {
        return exit_with_usage("await-nodes takes LABEL SECONDS");
    };
    let Ok(seconds) = seconds.parse() else {
        return exit_with_usage("await-nodes takes whole seconds");
    };
    let limit = Duration::from_secs(seconds);
    match admin_client::block_on(wait_until_ready(label, limit)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(last)) => exit_with_failure(&format!("not Ready after {limit:?}: {last}")),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

async fn wait_until_ready(label: &str, limit: Duration) -> Result<(), String> {
    let mut last = "nothing was heard of any node".to_owned();
    let ready = timeout(limit, async {
        let nodes: Api<Node> = Api::all(admin_client::admin_client().await);
        let labelled = ListParams::default().labels(label);
        loop {
            last = match nodes.list(&labelled).await {
                Ok(listed) => match nodes_waited_for(&listed.items) {
                    None => return,
                    Some(waiting) => waiting,
                },
                Err(error) => error.to_string(),
            };
            sleep(POLL_INTERVAL).await;
        }
    });
    let ready = ready.await.is_ok();
    ready.then_some(()).ok_or(last)
}

/// What is waited for, if anything is.
fn nodes_waited_for(nodes: &[Node]) -> Option<String> {
    if nodes.is_empty() {
        return Some("no node has the label".to_owned());
    }
    let mut waiting = nodes.iter().filter(|node| !is_ready(node));
    let node = waiting.next()?;
    Some(node.metadata.name.clone().unwrap_or_default())
}

fn is_ready(node: &Node) -> bool {
    let status = node.status.as_ref();
    let mut conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default()
        .iter();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, ready: &str) -> Node {
        let node = json!({
            "metadata": { "name": name },
            "status": { "conditions": [{ "type": "Ready", "status": ready }] },
        });
        serde_json::from_value(node).unwrap()
    }

    #[test]
    fn every_node_must_be_ready_and_there_must_be_one() {
        assert_eq!(
            nodes_waited_for(&[node("a", "True"), node("b", "True")]),
            None
        );
        let waiting_for = nodes_waited_for(&[node("a", "True"), node("b", "Unknown")]);
        assert_eq!(waiting_for.as_deref(), Some("b"));
        assert!(nodes_waited_for(&[Node::default()]).is_some());
        assert!(nodes_waited_for(&[]).is_some());
    }
}
