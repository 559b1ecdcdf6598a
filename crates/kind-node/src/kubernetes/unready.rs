//! Nodes and pods that are not ready, and why.

use k8s_openapi::api::core::v1::{ContainerStatus, Node, Pod};
use kind_node::examination::Unready;

/// Why a node is not ready, if it is not.
pub(crate) fn judge_node(node: &Node) -> Option<Unready> {
    let status = node.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref());
    let mut conditions = conditions.unwrap_or_default().iter();
    let ready = conditions.find(|condition| condition.type_ == "Ready");
    if ready.is_some_and(|ready| ready.status == "True") {
        return None;
    }
    let told = ready.and_then(|ready| ready.message.clone().or_else(|| ready.reason.clone()));
    Some(Unready {
        name: node.metadata.name.clone().unwrap_or_default(),
        reason: told.unwrap_or_else(|| "its kubelet has not reported yet".to_owned()),
    })
}

/// What a node is short of: conditions that end in pressure are of what runs out, disk, memory, processes.
pub(crate) fn find_shortage(node: &Node) -> Option<Unready> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let mut short = conditions
        .iter()
        .filter(|condition| condition.type_.ends_with("Pressure") && condition.status == "True");
    let condition = short.next()?;
    let message = condition.message.clone().unwrap_or_default();
    Some(Unready {
        name: node.metadata.name.clone().unwrap_or_default(),
        reason: format!("{} ({message})", condition.type_),
    })
}

/// Why a pod is not ready, if it is not. One that is done is well, and so is one whose containers are all ready.
pub(crate) fn judge_pod(pod: &Pod) -> Option<Unready> {
    let status = pod.status.clone().unwrap_or_default();
    let phase = status.phase.unwrap_or_default();
    let containers = status.container_statuses.unwrap_or_default();
    let is_running = phase == "Running" && containers.iter().all(|container| container.ready);
    if is_running || phase == "Succeeded" || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let mut waiting = containers.iter().filter(|container| !container.ready);
    let told = waiting.next().map(describe_container);
    let conditions = status.conditions.unwrap_or_default();
    let unscheduled = conditions
        .into_iter()
        .find(|one| one.type_ == "PodScheduled" && one.status == "False");
    let unscheduled = unscheduled.and_then(|condition| condition.message);
    Some(Unready {
        name: pod.metadata.name.clone().unwrap_or_default(),
        reason: unscheduled.or(told).or(status.reason).unwrap_or(phase),
    })
}

fn describe_container(container: &ContainerStatus) -> String {
    let state = container.state.clone().unwrap_or_default();
    let name = &container.name;
    let why = match (state.waiting, state.terminated) {
        (Some(waiting), _) => waiting.reason.unwrap_or_default(),
        (None, Some(ended)) => format!("ended with code {}", ended.exit_code),
        (None, None) => "not ready".to_owned(),
    };
    match container.restart_count {
        0 => format!("container {name}: {why}"),
        times => format!("container {name}: {why}, started again {times} times"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: serde_json::Value) -> Option<String> {
        let pod = json!({ "metadata": { "name": "a" }, "status": status });
        judge_pod(&serde_json::from_value(pod).unwrap()).map(|unready| unready.reason)
    }

    #[test]
    fn pods_that_are_not_ready_say_why() {
        let container = |ready, restarts, state| json!({ "name": "c", "ready": ready, "restartCount": restarts, "image": "", "imageID": "", "state": state });
        let running = json!({ "running": {} });
        assert_eq!(pod(json!({ "phase": "Succeeded" })), None);
        assert_eq!(
            pod(json!({ "phase": "Running", "containerStatuses": [container(true, 3, running)] })),
            None
        );
        let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        assert_eq!(
            pod(json!({ "phase": "Running", "containerStatuses": [container(false, 3, waiting)] }))
                .unwrap(),
            "container c: CrashLoopBackOff, started again 3 times"
        );
        let conditions =
            json!([{ "type": "PodScheduled", "status": "False", "message": "no room" }]);
        assert_eq!(
            pod(json!({ "phase": "Pending", "conditions": conditions })).unwrap(),
            "no room"
        );
        assert_eq!(pod(json!({ "phase": "Pending" })).unwrap(), "Pending");
    }

    #[test]
    fn nodes_say_what_they_are_short_of() {
        let judged = |status: &str| {
            let node = json!({ "metadata": { "name": "a" }, "status": { "conditions": [
                { "type": "Ready", "status": "True" },
                { "type": "DiskPressure", "status": status, "message": "full" },
            ] } });
            find_shortage(&serde_json::from_value(node).unwrap()).map(|short| short.reason)
        };
        assert_eq!(judged("True").unwrap(), "DiskPressure (full)");
        assert_eq!(judged("False"), None);
    }

    #[test]
    fn nodes_that_are_not_ready_say_why() {
        let judged = |conditions: serde_json::Value| {
            let node =
                json!({ "metadata": { "name": "a" }, "status": { "conditions": conditions } });
            judge_node(&serde_json::from_value(node).unwrap()).map(|unready| unready.reason)
        };
        assert_eq!(judged(json!([{ "type": "Ready", "status": "True" }])), None);
        let unknown = json!([{ "type": "Ready", "status": "Unknown", "message": "stopped" }]);
        assert_eq!(judged(unknown).unwrap(), "stopped");
        assert_eq!(
            judged(json!([])).unwrap(),
            "its kubelet has not reported yet"
        );
    }
}
