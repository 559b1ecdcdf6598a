//! Waiting until a new cluster is ready: its nodes, the pods that make them nodes, and addresses of Services.
//!
//! A node calls itself Ready as soon as its kubelet could start pods. Whether they then run is another question: where
//! kube-proxy crashes, no Service has an address.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{ContainerStatus, Node, Pod, Taint};
use kube::Client;
use kube::api::{Api, ListParams};
use tokio::time::{sleep, timeout};

use super::{admin_client, service_address};
use crate::kubernetes::{judge_node, judge_pod};
use crate::usage::{exit_with_failure, exit_with_usage};

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The namespace of what makes a node one.
const SYSTEM: &str = "kube-system";

/// What is waited for.
struct Wanted {
    limit: Duration,
    /// So many nodes.
    nodes: usize,
    /// An address of a Service answers in a pod's network.
    service_address: bool,
}

/// Waits for so many nodes, their pods, and addresses of Services if there are to be any:
/// `SECONDS NODES [--service-address]`.
pub(crate) fn await_ready_nodes(arguments: &[String]) -> ExitCode {
    let Some(wanted) = parse_arguments(arguments) else {
        return exit_with_usage("await-nodes takes SECONDS NODES [--service-address]");
    };
    match admin_client::block_on(wait_until_ready(&wanted)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(last)) => exit_with_failure(&last),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

fn parse_arguments(arguments: &[String]) -> Option<Wanted> {
    let (seconds, nodes, service_address) = match arguments {
        [seconds, nodes] => (seconds, nodes, false),
        [seconds, nodes, flag] if flag == "--service-address" => (seconds, nodes, true),
        _ => return None,
    };
    Some(Wanted {
        limit: Duration::from_secs(seconds.parse().ok()?),
        nodes: nodes.parse().ok()?,
        service_address,
    })
}

/// Fails with what was waited for last.
async fn wait_until_ready(wanted: &Wanted) -> Result<(), String> {
    let mut last = "nothing was heard of any node".to_owned();
    let ready = timeout(wanted.limit, async {
        let client = admin_client::admin_client().await;
        while let Err(missing) = check_cluster(&client, wanted).await {
            last = missing;
            sleep(POLL_INTERVAL).await;
        }
    });
    let ready = ready.await.is_ok();
    ready.then_some(()).ok_or(last)
}

/// Asks for one thing after the other: a new server has better things to do.
async fn check_cluster(client: &Client, wanted: &Wanted) -> Result<(), String> {
    let every = ListParams::default();
    let nodes = Api::<Node>::all(client.clone()).list(&every).await;
    let nodes = nodes.map_err(text)?.items;
    judge_nodes(&nodes, wanted.nodes)?;
    if !wanted.service_address {
        // Whoever brings addresses of Services brings what pods of kube-system wait for.
        return Ok(());
    }
    let are_closed = are_closed_by_user(&nodes);
    let pods = Api::<Pod>::namespaced(client.clone(), SYSTEM);
    judge_pods(&pods.list(&every).await.map_err(text)?.items, are_closed)?;
    let sets = Api::<DaemonSet>::namespaced(client.clone(), SYSTEM);
    let deployments = Api::<Deployment>::namespaced(client.clone(), SYSTEM);
    let (sets, deployments) = tokio::join!(sets.list(&every), deployments.list(&every));
    let sets = sets.map_err(text)?.items;
    let deployments = deployments.map_err(text)?.items;
    let missing = sets.iter().find_map(judge_daemon_set);
    let deployments = deployments.iter().filter(|_| !are_closed);
    let missing = missing.or_else(|| deployments.into_iter().find_map(judge_deployment));
    missing.map_or(Ok(()), Err)?;
    service_address::check_service_address(client).await
}

fn judge_nodes(nodes: &[Node], wanted: usize) -> Result<(), String> {
    if let Some(unready) = nodes.iter().find_map(judge_node) {
        return Err(format!("{} is not Ready: {}", unready.name, unready.reason));
    }
    match nodes.len() {
        there if there >= wanted => Ok(()),
        there => Err(format!("{there} of {wanted} nodes are registered")),
    }
}

/// Whether every node has a taint that is neither Kubernetes' own nor that of control planes, which what a cluster needs
/// tolerates, for example until a cloud controller takes it away. What finds no node then is not waited for: the user
/// wants it so.
fn are_closed_by_user(nodes: &[Node]) -> bool {
    const CONTROL_PLANE: [&str; 2] = [
        "node-role.kubernetes.io/control-plane",
        "node-role.kubernetes.io/master",
    ];
    let is_own = |key: &str| key.starts_with("node.kubernetes.io/") || CONTROL_PLANE.contains(&key);
    let is_users = |taint: &Taint| taint.effect != "PreferNoSchedule" && !is_own(&taint.key);
    let taints = |node: &Node| node.spec.as_ref().and_then(|spec| spec.taints.clone());
    let is_closed = |node| taints(node).is_some_and(|taints| taints.iter().any(is_users));
    nodes.iter().all(is_closed)
}

fn judge_pods(pods: &[Pod], are_closed: bool) -> Result<(), String> {
    if pods.is_empty() {
        return Err(format!("there is no pod in {SYSTEM}"));
    }
    let waits = |pod: &Pod| are_closed && finds_no_node(pod);
    let passes = |pod: &Pod| waits(pod) || is_replaced(pod) || is_static_and_runs(pod);
    let mut counted = pods.iter().filter(|pod| !passes(pod));
    match counted.find_map(judge_pod) {
        Some(unready) => Err(format!(
            "pod {} is not ready: {}",
            unready.name, unready.reason
        )),
        None => Ok(()),
    }
}

fn finds_no_node(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref());
    let is_refused = |reason: &Option<String>| reason.as_deref() == Some("Unschedulable");
    let mut conditions = conditions.unwrap_or_default().iter();
    conditions.any(|one| one.type_ == "PodScheduled" && is_refused(&one.reason))
}

/// Whether it is a part of the control plane that runs. The kubelet probes those every ten seconds only; that they serve is
/// seen sooner by what they do: the API server answers, and the other pods are made and find their nodes.
fn is_static_and_runs(pod: &Pod) -> bool {
    let status = pod.status.clone().unwrap_or_default();
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let is_static = owners.iter().any(|owner| owner.kind == "Node");
    let containers = status.container_statuses.unwrap_or_default();
    let runs = |container: &ContainerStatus| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.running.is_some())
    };
    is_static && status.phase.as_deref() == Some("Running") && containers.iter().all(runs)
}

/// Whether it has failed for good, so that its controller, which is judged as well, makes another one. The controller of
/// a static pod is its node, which makes none.
fn is_replaced(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let has_failed = status.is_some_and(|status| status.phase.as_deref() == Some("Failed"));
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let mut controllers = owners.iter().filter(|owner| owner.controller == Some(true));
    has_failed && controllers.any(|owner| owner.kind != "Node")
}

/// What a DaemonSet waits for. Its controller may not have seen it yet, or all nodes.
fn judge_daemon_set(set: &DaemonSet) -> Option<String> {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let status = set.status.clone().unwrap_or_default();
    let is_seen = status.observed_generation >= set.metadata.generation;
    let (ready, wanted) = (status.number_ready, status.desired_number_scheduled);
    let is_ready = is_seen && ready >= wanted;
    (!is_ready).then(|| format!("{ready} of {wanted} pods of DaemonSet {name} are ready"))
}

fn judge_deployment(deployment: &Deployment) -> Option<String> {
    let name = deployment.metadata.name.as_deref().unwrap_or_default();
    let status = deployment.status.clone().unwrap_or_default();
    let is_seen = status.observed_generation >= deployment.metadata.generation;
    let ready = status.ready_replicas.unwrap_or_default();
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let is_ready = is_seen && ready >= wanted;
    (!is_ready).then(|| format!("{ready} of {wanted} pods of Deployment {name} are ready"))
}

fn text(error: impl Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, ready: &str) -> Node {
        let node = json!({
            "metadata": { "name": name },
            "status": { "conditions": [{ "type": "Ready", "status": ready }] },
        });
        serde_json::from_value(node).unwrap()
    }

    #[test]
    fn every_node_must_be_there_and_ready() {
        let judged = |nodes: &[Node]| judge_nodes(nodes, 2);
        assert_eq!(judged(&[node("a", "True"), node("b", "True")]), Ok(()));
        let unknown = judged(&[node("a", "True"), node("b", "Unknown")]).unwrap_err();
        assert!(unknown.starts_with("b is not Ready: "), "{unknown}");
        let few = judged(&[node("a", "True")]).unwrap_err();
        assert_eq!(few, "1 of 2 nodes are registered");
        assert!(judged(&[]).is_err());
    }

    #[test]
    fn kube_proxy_in_crash_loop_back_off_is_not_ready() {
        let state = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        let container = json!({
            "name": "kube-proxy", "ready": false, "restartCount": 4, "image": "", "imageID": "",
            "state": state,
        });
        let pod = json!({
            "metadata": { "name": "kube-proxy-x" },
            "status": { "phase": "Running", "containerStatuses": [container] },
        });
        let pods = [serde_json::from_value(pod).unwrap()];
        assert_eq!(
            judge_pods(&pods, false).unwrap_err(),
            "pod kube-proxy-x is not ready: container kube-proxy: CrashLoopBackOff, started again 4 times"
        );
        assert!(judge_pods(&[], false).is_err());
    }

    #[test]
    fn pods_that_taints_of_the_user_keep_away_are_not_waited_for() {
        let node = |key: &str| -> Node {
            let taint = json!({ "key": key, "effect": "NoSchedule" });
            serde_json::from_value(json!({ "spec": { "taints": [taint] } })).unwrap()
        };
        let role = node("node-role.kubernetes.io/control-plane");
        let cloud = node("node.cloudprovider.kubernetes.io/uninitialized");
        assert!(are_closed_by_user(std::slice::from_ref(&cloud)));
        assert!(!are_closed_by_user(&[cloud, role]));
        assert!(are_closed_by_user(&[node("node-role.kubernetes.io/infra")]));
        let condition =
            json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" });
        let pod = json!({
            "metadata": { "name": "coredns-x" },
            "status": { "phase": "Pending", "conditions": [condition] },
        });
        let pods = [serde_json::from_value(pod).unwrap()];
        assert_eq!(judge_pods(&pods, true), Ok(()));
        assert!(judge_pods(&pods, false).is_err());
    }

    #[test]
    fn a_control_plane_that_runs_is_not_waited_for_until_its_probes_come() {
        let pod = |owner: &str, state: Value| -> Pod {
            let owner = json!({ "apiVersion": "v1", "kind": owner, "name": "a", "uid": "1", "controller": true });
            let container = json!({
                "name": "c", "ready": false, "restartCount": 1, "image": "", "imageID": "", "state": state,
            });
            serde_json::from_value(json!({
                "metadata": { "name": "a", "ownerReferences": [owner] },
                "status": { "phase": "Running", "containerStatuses": [container] },
            }))
            .unwrap()
        };
        let running = json!({ "running": {} });
        assert_eq!(judge_pods(&[pod("Node", running.clone())], false), Ok(()));
        assert!(judge_pods(&[pod("DaemonSet", running)], false).is_err());
        let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        assert!(judge_pods(&[pod("Node", waiting)], false).is_err());
    }

    #[test]
    fn a_failed_pod_that_its_controller_replaces_is_not_waited_for() {
        let pod = |owners: Value| -> Pod {
            let pod = json!({
                "metadata": { "name": "a", "ownerReferences": owners },
                "status": { "phase": "Failed", "reason": "Evicted" },
            });
            serde_json::from_value(pod).unwrap()
        };
        let owner = |kind: &str| json!([{ "apiVersion": "v1", "kind": kind, "name": "a", "uid": "1", "controller": true }]);
        assert_eq!(judge_pods(&[pod(owner("ReplicaSet"))], false), Ok(()));
        assert!(judge_pods(&[pod(owner("Node"))], false).is_err(), "static");
        assert!(judge_pods(&[pod(json!([]))], false).is_err());
    }

    #[test]
    fn sets_that_their_controllers_have_not_seen_are_not_ready() {
        let set = |status: Value| {
            let set = json!({
                "metadata": { "name": "a", "generation": 1 },
                "spec": { "selector": {}, "template": {} },
                "status": status,
            });
            judge_daemon_set(&serde_json::from_value(set).unwrap())
        };
        let status = |observed, ready, wanted| {
            json!({
                "observedGeneration": observed, "numberReady": ready, "desiredNumberScheduled": wanted,
                "currentNumberScheduled": 0, "numberMisscheduled": 0,
            })
        };
        assert_eq!(set(status(1, 3, 3)), None);
        assert!(set(status(0, 0, 0)).is_some());
        assert_eq!(
            set(status(1, 2, 3)).unwrap(),
            "2 of 3 pods of DaemonSet a are ready"
        );
    }

    #[test]
    fn a_deployment_of_no_replicas_is_ready() {
        let judged = |replicas, status: Value| {
            let deployment = json!({
                "metadata": { "name": "coredns", "generation": 1 },
                "spec": { "replicas": replicas, "selector": {}, "template": {} },
                "status": status,
            });
            judge_deployment(&serde_json::from_value(deployment).unwrap())
        };
        assert_eq!(judged(0, json!({ "observedGeneration": 1 })), None);
        assert!(judged(0, json!({})).is_some());
        let one = json!({ "observedGeneration": 1, "readyReplicas": 1 });
        assert!(judged(2, one.clone()).is_some());
        assert_eq!(judged(1, one), None);
    }

    #[test]
    fn arguments_are_a_time_and_a_number_of_nodes() {
        let parse = |text: &str| {
            let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            parse_arguments(&words)
        };
        let wanted = parse("60 3 --service-address").unwrap();
        assert_eq!((wanted.limit.as_secs(), wanted.nodes), (60, 3));
        assert!(wanted.service_address && !parse("60 3").unwrap().service_address);
        for wrong in ["", "60", "x 3", "60 x", "60 3 --other"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
