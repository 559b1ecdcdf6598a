//! What the API servers of a cluster know.

use kind_diagnosis::Severity;
use kind_node::examination::{Server, Unready};

use super::facts::{NodeExamination, Patient};
use crate::doctor::outcome::{Outcome, Problem};

/// How the names of the control plane's static pods begin.
const CONTROL_PLANE: [&str; 4] = [
    "etcd-",
    "kube-apiserver-",
    "kube-controller-manager-",
    "kube-scheduler-",
];

/// The servers of a cluster, by their nodes.
fn api_servers<'a>(told: &[(&'a str, &'a NodeExamination)]) -> Vec<(&'a str, &'a Server)> {
    let servers = told.iter();
    servers
        .filter_map(|(node, told)| Some((*node, told.examination.server.as_ref()?)))
        .collect()
}

/// Which Kubernetes the cluster is of.
pub(super) fn find_version(told: &[(&str, &NodeExamination)]) -> Option<String> {
    let servers = api_servers(told);
    let mut versions = servers.iter().map(|(_, server)| &server.version);
    versions.find(|version| !version.is_empty()).cloned()
}

pub(super) fn look_at_servers(patient: &Patient) -> Outcome {
    judge_servers(&api_servers(&patient.examinations()))
}

fn judge_servers(servers: &[(&str, &Server)]) -> Outcome {
    let problems = servers.iter().filter_map(|(node, server)| {
        let failure = server.failure.as_ref()?;
        let found = format!("the API server does not answer: {failure}");
        let remedy = format!(
            "`crictl ps -a` and the logs below /var/log/pods in the node {node} say why; \
             `kind export logs` has them all"
        );
        Some(Problem::error(found, "an answer at once", remedy).of(*node))
    });
    match servers.len() {
        0 => Outcome::skipped("no control plane tells"),
        count => Outcome::of_problems(problems.collect(), format!("{count} of {count} answer")),
    }
}

pub(super) fn look_at_nodes(patient: &Patient) -> Outcome {
    judge_nodes(&api_servers(&patient.examinations()))
}

fn judge_nodes(servers: &[(&str, &Server)]) -> Outcome {
    judge_unready(servers, "every node is ready", |server| {
        let nodes = server.unready_nodes.iter().map(|node| {
            let Unready { name, reason } = node;
            let found = format!("the node is not ready: {reason}");
            let remedy =
                format!("`kubectl describe node {name}`, and `journalctl -u kubelet` in the node");
            Problem::error(found, "a node that is Ready", remedy).of(name)
        });
        nodes.collect()
    })
}

pub(super) fn look_at_shortages(patient: &Patient) -> Outcome {
    judge_shortages(&api_servers(&patient.examinations()))
}

fn judge_shortages(servers: &[(&str, &Server)]) -> Outcome {
    judge_unready(servers, "no node is short of anything", |server| {
        let nodes = server.short_nodes.iter().map(|node| {
            let found = format!("its kubelet evicts pods: {}", node.reason);
            let remedy = "free disk, memory or processes of the host and of the engine (`kind prune`, and what the engine has \
                 for it), or make fewer nodes";
            Problem::warning(found, "room for pods", remedy).of(&node.name)
        });
        nodes.collect()
    })
}

pub(super) fn look_at_pods(patient: &Patient) -> Outcome {
    judge_pods(&api_servers(&patient.examinations()))
}

fn judge_pods(servers: &[(&str, &Server)]) -> Outcome {
    judge_unready(servers, "every pod of kube-system is ready", |server| {
        let pods = server.unready_pods.iter().map(|pod| {
            let Unready { name, reason } = pod;
            let found = format!("the pod is not ready: {reason}");
            let remedy = format!(
                "`kubectl --namespace kube-system describe pod {name}` and \
                 `kubectl --namespace kube-system logs {name}`"
            );
            let mut problem = Problem::warning(found, "a pod that is ready", remedy);
            if is_crash_loop(pod) {
                problem.check.severity = Severity::Error;
            }
            problem.of(name)
        });
        pods.collect()
    })
}

/// Whether it is a part of the control plane that ends whenever it is started.
fn is_crash_loop(pod: &Unready) -> bool {
    let name = pod.name.as_str();
    let is_part = CONTROL_PLANE.iter().any(|part| name.starts_with(part));
    is_part && pod.reason.contains("CrashLoopBackOff")
}

/// All servers know the same: the first that answers tells.
fn judge_unready(
    servers: &[(&str, &Server)],
    passed: &str,
    problems: impl Fn(&Server) -> Vec<Problem>,
) -> Outcome {
    let mut answering = servers
        .iter()
        .filter(|(_, server)| server.failure.is_none());
    match answering.next() {
        Some((_, server)) => Outcome::of_problems(problems(server), passed),
        None => Outcome::skipped("no API server tells"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn a_control_plane_that_does_not_stay_is_an_error() {
        let judge = |name: &str, reason: &str| {
            let pod = Unready {
                name: name.to_owned(),
                reason: format!("container a: {reason}"),
            };
            let server = Server {
                unready_pods: vec![pod],
                ..Server::default()
            };
            told(&judge_pods(&[("a", &server)]))
        };
        let manager = "kube-controller-manager-a-control-plane";
        let looping = "CrashLoopBackOff, started again 4 times";
        for (name, reason, severity) in [
            (manager, looping, "error"),
            (manager, "not ready", "warning"),
            ("coredns-1", looping, "warning"),
        ] {
            assert!(judge(name, reason).starts_with(severity), "{name} {reason}");
        }
    }

    #[test]
    fn what_a_server_knows_is_told() {
        let unready = |name: &str| Unready {
            name: name.to_owned(),
            reason: "late".to_owned(),
        };
        let server = Server {
            version: "v1.36.2".to_owned(),
            failure: None,
            unready_nodes: vec![unready("a-worker")],
            short_nodes: vec![unready("a-worker")],
            unready_pods: vec![unready("coredns-1")],
        };
        let silent = Server {
            failure: Some("refused".to_owned()),
            ..Server::default()
        };
        let well = Server::default();
        let both = [("a", &silent), ("b", &server)];
        assert_eq!(
            told(&judge_servers(&both)),
            "error: the API server does not answer: refused"
        );
        assert_eq!(
            told(&judge_nodes(&both)),
            "error: the node is not ready: late"
        );
        assert_eq!(
            told(&judge_shortages(&both)),
            "warning: its kubelet evicts pods: late"
        );
        assert_eq!(
            told(&judge_pods(&both)),
            "warning: the pod is not ready: late"
        );
        assert_eq!(
            told(&judge_servers(&[("b", &well)])),
            "passed: 1 of 1 answer"
        );
        assert_eq!(
            told(&judge_nodes(&[("b", &well)])),
            "passed: every node is ready"
        );
        assert_eq!(
            told(&judge_pods(&both[..1])),
            "skipped: no API server tells"
        );
        assert_eq!(told(&judge_servers(&[])), "skipped: no control plane tells");
    }
}
