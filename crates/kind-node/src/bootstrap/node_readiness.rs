//! Waiting until this node is well after it was started again.
//!
//! What a cluster knows of a node is what its kubelet said last, maybe before the node went down: only what
//! was said since the node's boot counts.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, NodeCondition};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::api::Api;
use rustix::param::clock_ticks_per_second;
use tokio::time::{sleep, timeout};

use crate::kubernetes;
use crate::usage::{exit_with_failure, exit_with_usage};

const KUBECONFIG: &str = "/etc/kubernetes/kubelet.conf";
/// The manifest by which a kubelet runs an API server beside it.
const API_SERVER: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
/// That server, whatever the node's addresses are.
const LOCAL: &str = "https://localhost:6443";
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How long one answer may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits for the node that is named: `NODE SECONDS`.
pub(crate) fn await_node_readiness(arguments: &[String]) -> ExitCode {
    let [node, seconds] = arguments else {
        return exit_with_usage("await-ready takes NODE SECONDS");
    };
    let Ok(seconds) = seconds.parse() else {
        return exit_with_usage("await-ready takes whole seconds");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ready = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(wait_until_ready(node, Duration::from_secs(seconds))));
    match ready {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => exit_with_failure(&problem),
    }
}

async fn wait_until_ready(node: &str, limit: Duration) -> Result<(), String> {
    let booted = boot_time().ok_or("the time of the node's boot cannot be read")?;
    let mut last = "nothing was tried".to_owned();
    let ready = timeout(limit, async {
        while let Err(problem) = check_node(node, booted).await {
            last = problem;
            sleep(POLL_INTERVAL).await;
        }
    });
    let ready = ready.await;
    ready.map_err(|_| format!("{node} is not ready after {limit:?}: {last}"))
}

/// Whether the node is well, and the API server on it if there is one.
async fn check_node(node: &str, booted: Timestamp) -> Result<(), String> {
    let client = kubelet_client().await?;
    let server = http::Request::get("/readyz").body(Vec::new());
    let server = server.map_err(text)?;
    let server = timeout(REQUEST_TIMEOUT, client.request_text(server)).await;
    server.map_err(text)?.map_err(text)?;
    let nodes: Api<Node> = Api::all(client);
    let found = timeout(REQUEST_TIMEOUT, nodes.get(node)).await;
    let status = found.map_err(text)?.map_err(text)?.status;
    let conditions = status.and_then(|status| status.conditions);
    judge_conditions(&conditions.unwrap_or_default(), booted)
}

fn judge_conditions(conditions: &[NodeCondition], booted: Timestamp) -> Result<(), String> {
    let ready = conditions.iter().find(|found| found.type_ == "Ready");
    let ready = ready.ok_or("its kubelet has not reported yet")?;
    let heard = ready.last_heartbeat_time.as_ref();
    if heard.is_none_or(|time| time.0 <= booted) {
        return Err("its kubelet has not reported since the start".to_owned());
    }
    match ready.status.as_str() {
        "True" => Ok(()),
        _ => Err(ready.message.clone().unwrap_or_default()),
    }
}

/// The API server as the kubelet reaches it; on a control plane its own.
async fn kubelet_client() -> Result<Client, String> {
    let path = Path::new(KUBECONFIG);
    if !Path::new(API_SERVER).exists() {
        return kubernetes::client_of(path).await.map_err(text);
    }
    kubernetes::client_of_at(path, LOCAL).await.map_err(text)
}

/// When the node's first process was started.
fn boot_time() -> Option<Timestamp> {
    let stat = std::fs::read_to_string("/proc/1/stat").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred a second")]
    let started = parse_start_ticks(&stat)? as f64 / clock_ticks_per_second() as f64;
    let age = SignedDuration::try_from_secs_f64(uptime - started).ok()?;
    Timestamp::now().checked_sub(age).ok()
}

/// The start of a process in clock ticks after the kernel's, out of its `stat`.
fn parse_start_ticks(stat: &str) -> Option<u64> {
    // The program's name, in parentheses, may hold anything; then comes the third field.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(22 - 3)?.parse().ok()
}

fn text(error: impl Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn condition(status: &str, heard: Timestamp) -> NodeCondition {
        NodeCondition {
            type_: "Ready".to_owned(),
            status: status.to_owned(),
            last_heartbeat_time: Some(Time(heard)),
            ..NodeCondition::default()
        }
    }

    #[test]
    fn what_was_said_before_the_boot_does_not_count() {
        let booted = Timestamp::from_second(1_000).unwrap();
        let before = Timestamp::from_second(990).unwrap();
        let since = Timestamp::from_second(1_003).unwrap();
        assert!(judge_conditions(&[condition("True", before)], booted).is_err());
        assert!(judge_conditions(&[condition("True", since)], booted).is_ok());
        assert!(judge_conditions(&[condition("False", since)], booted).is_err());
        assert!(judge_conditions(&[], booted).is_err());
    }

    #[test]
    fn the_boot_was_before_now_and_after_that_of_the_kernel() {
        let booted = boot_time().unwrap();
        assert!(booted < Timestamp::now());
        let stat = "1 (a b) c) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        assert_eq!(parse_start_ticks(stat), Some(4711));
    }
}
