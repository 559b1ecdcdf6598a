//! Nodes as the engine and they themselves see them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kind_diagnosis::RENEW_CERTIFICATES;
use kind_engine::{Node, State};
use kind_node::examination::Certificate;

use super::facts::{NodeAnswer, NodeExamination, Patient};
use crate::doctor::outcome::{Outcome, Problem};

/// Bytes below which a node's disk is full, or soon will be.
const NO_SPACE: u64 = 100 << 20;
const LITTLE_SPACE: u64 = 1 << 30;
/// Before that nobody must do anything about a certificate.
const CERTIFICATE_DAYS: i64 = 30;
/// Leases and tokens bear no more.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(2);

pub(super) fn look_at_state(patient: &Patient) -> Outcome {
    judge_state(&patient.name, &patient.nodes)
}

fn judge_state(cluster: &str, nodes: &[Node]) -> Outcome {
    let remedy = format!("start it with `kind start cluster --name {cluster}`");
    let stopped: Vec<_> = nodes
        .iter()
        .filter(|node| node.state != State::Running)
        .collect();
    if stopped.len() == nodes.len() {
        return Problem::error("the cluster is stopped", "nodes that run", remedy)
            .of(cluster)
            .into();
    }
    let problems = stopped.into_iter().map(|node| {
        let found = match node.state {
            State::Exited(Some(code)) => format!("the node has ended with code {code}"),
            State::Created => "the node was never started".to_owned(),
            State::Exited(None) | State::Running => "the node does not run".to_owned(),
        };
        Problem::error(found, "a node that runs", &remedy).of(&node.name)
    });
    Outcome::of_problems(problems.collect(), format!("{} run", nodes.len()))
}

pub(super) fn look_at_answers(patient: &Patient) -> Outcome {
    judge_answers(patient.answers())
}

fn judge_answers(answers: &BTreeMap<String, NodeAnswer>) -> Outcome {
    let problems = answers.iter().filter_map(|(node, answer)| {
        let problem = match answer {
            NodeAnswer::Examined(_) => return None,
            NodeAnswer::Silent => Problem::warning(
                "the node runs no command within a second",
                "an answer at once",
                "see whether the host is overloaded; `kind stop cluster` and `kind start cluster` start nodes anew",
            ),
            NodeAnswer::Paused => Problem::error(
                "the node is paused: nothing of it goes on",
                "a node that runs",
                format!("`docker unpause {node}`, or the like of your engine"),
            ),
            NodeAnswer::Mute => Problem::warning(
                "the node cannot tell how it is: it was not made by this release of kind",
                "a node of this release",
                "nothing is wrong with that; `kind export logs` has what the node says",
            ),
        };
        Some(problem.of(node))
    });
    match answers.len() {
        0 => Outcome::skipped("no node runs"),
        count => Outcome::of_problems(problems.collect(), format!("{count} tell how they are")),
    }
}

pub(super) fn look_at_units(patient: &Patient) -> Outcome {
    judge_units(&patient.examinations())
}

fn judge_units(told: &[(&str, &NodeExamination)]) -> Outcome {
    let problems = told.iter().flat_map(|(node, told)| {
        let stopped = told.examination.stopped_units.iter();
        stopped.map(move |unit| {
            let name = unit.split(' ').next().unwrap_or_default();
            let found = format!("{unit} does not run, without which the node does nothing");
            let remedy = format!(
                "`systemctl start {name}` in the node; `journalctl -u {name}` says why it has ended"
            );
            Problem::error(found, "containerd and the kubelet run", remedy).of(*node)
        })
    });
    of_nodes(told, problems.collect(), "containerd and kubelets run")
}

pub(super) fn look_at_components(patient: &Patient) -> Outcome {
    judge_components(&patient.examinations())
}

/// What signatures found in logs of the last minutes.
fn judge_components(told: &[(&str, &NodeExamination)]) -> Outcome {
    let problems = told.iter().flat_map(|(node, told)| {
        let checks = told.examination.checks.iter().cloned();
        checks.map(move |mut check| {
            check.subject = format!("{} of {node}", check.subject);
            Problem { check, fix: None }
        })
    });
    of_nodes(told, problems.collect(), "nothing is in their way")
}

pub(super) fn look_at_disks(patient: &Patient) -> Outcome {
    judge_disks(&patient.examinations())
}

fn judge_disks(told: &[(&str, &NodeExamination)]) -> Outcome {
    let mut problems = Vec::new();
    for (node, told) in told {
        for disk in &told.examination.disks {
            let (path, free) = (&disk.path, disk.free >> 20);
            let found = format!("{free} MiB are free in {path}");
            let remedy = "remove images and volumes that are not needed, here and in the engine: `kind prune`, and \
                 what the engine has for it";
            let problem = match disk.free {
                free if free < NO_SPACE => Problem::error(found, "1 GiB or more", remedy),
                free if free < LITTLE_SPACE => Problem::warning(found, "1 GiB or more", remedy),
                _ => continue,
            };
            problems.push(problem.of(*node));
        }
    }
    of_nodes(told, problems, "nodes have space")
}

pub(super) fn look_at_certificates(patient: &Patient) -> Outcome {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    judge_certificates(&patient.examinations(), now)
}

fn judge_certificates(told: &[(&str, &NodeExamination)], now: i64) -> Outcome {
    let certificates = told
        .iter()
        .flat_map(|(_, told)| &told.examination.certificates);
    let Some(least) = certificates.map(|one| days_left(one, now)).min() else {
        return Outcome::skipped("no node tells of any");
    };
    let problems = told.iter().filter_map(|(node, told)| {
        let certificates = told.examination.certificates.iter();
        let ending: Vec<_> = certificates
            .filter(|one| days_left(one, now) < CERTIFICATE_DAYS)
            .collect();
        Some(describe_ending(&ending, now)?.of(*node))
    });
    Outcome::of_problems(
        problems.collect(),
        format!("the first expires in {least} days"),
    )
}

fn days_left(certificate: &Certificate, now: i64) -> i64 {
    const DAY: i64 = 86_400;
    certificate.expires.saturating_sub(now).div_euclid(DAY)
}

/// All certificates of a node that end, the first one by name: what mends one mends all.
fn describe_ending(ending: &[&Certificate], now: i64) -> Option<Problem> {
    let first = ending.iter().min_by_key(|one| one.expires)?;
    let paths = ending.iter().map(|one| one.path.clone()).collect();
    let more = match ending.len() - 1 {
        0 => String::new(),
        others => format!(" ({others} more do soon or have)"),
    };
    let (path, expected) = (&first.path, format!("{CERTIFICATE_DAYS} days or more"));
    let problem = if first.expires <= now {
        Problem::error(
            format!("{path} has expired{more}"),
            expected,
            RENEW_CERTIFICATES,
        )
    } else {
        let found = format!("{path} expires in {} days{more}", days_left(first, now));
        Problem::warning(found, expected, RENEW_CERTIFICATES)
    };
    Some(problem.with_evidence("certificates", paths))
}

pub(super) fn look_at_clocks(patient: &Patient) -> Outcome {
    judge_clocks(&patient.examinations())
}

fn judge_clocks(told: &[(&str, &NodeExamination)]) -> Outcome {
    let problems = told.iter().filter_map(|(node, told)| {
        let difference = told.examination.now_ms.abs_diff(told.asked_ms);
        let difference = Duration::from_millis(difference);
        // It was some time between the question and the answer.
        if difference <= CLOCK_DIFFERENCE + told.took / 2 {
            return None;
        }
        let found = format!("its clock differs by {} s from this machine's", difference.as_secs());
        let remedy = "set the clock of the engine's machine, for example by starting its virtual machine anew";
        Some(Problem::warning(found, "the same time", remedy).of(*node))
    });
    of_nodes(told, problems.collect(), "they show this machine's time")
}

fn of_nodes(told: &[(&str, &NodeExamination)], problems: Vec<Problem>, passed: &str) -> Outcome {
    if told.is_empty() {
        return Outcome::skipped("no node tells");
    }
    Outcome::of_problems(problems, passed)
}

#[cfg(test)]
mod tests {
    use kind_diagnosis::{Check, Severity};
    use kind_node::examination::{Disk, Examination};

    use super::*;
    use crate::doctor::tests::told as told_of;

    fn node(name: &str, state: State) -> Node {
        Node {
            name: name.to_owned(),
            labels: BTreeMap::new(),
            image: String::new(),
            state,
            ipv4: None,
            ipv6: None,
            ports: Vec::new(),
        }
    }

    #[test]
    fn a_stopped_cluster_is_told_how_to_start() {
        let judged = |states: &[State]| {
            let nodes: Vec<_> = states.iter().map(|state| node("a", *state)).collect();
            judge_state("dev", &nodes)
        };
        assert_eq!(told_of(&judged(&[State::Running; 2])), "passed: 2 run");
        let stopped = judged(&[State::Exited(Some(137)); 2]);
        assert_eq!(told_of(&stopped), "error: the cluster is stopped");
        let Outcome::Problems(problems) = stopped else {
            panic!("nothing was found");
        };
        assert_eq!(
            problems[0].check.remedy,
            "start it with `kind start cluster --name dev`"
        );
        let one = judged(&[State::Running, State::Exited(Some(137))]);
        assert_eq!(told_of(&one), "error: the node has ended with code 137");
    }

    #[test]
    fn nodes_that_cannot_tell_are_told() {
        let judged = |answer| told_of(&judge_answers(&BTreeMap::from([("a".to_owned(), answer)])));
        assert_eq!(
            judged(NodeAnswer::Examined(Box::default())),
            "passed: 1 tell how they are"
        );
        assert_eq!(
            judged(NodeAnswer::Silent),
            "warning: the node runs no command within a second"
        );
        assert!(judged(NodeAnswer::Mute).starts_with("warning: the node cannot tell"));
        assert!(judged(NodeAnswer::Paused).starts_with("error: the node is paused"));
        assert_eq!(
            told_of(&judge_answers(&BTreeMap::new())),
            "skipped: no node runs"
        );
    }

    fn told(examination: Examination) -> NodeExamination {
        NodeExamination {
            examination,
            ..NodeExamination::default()
        }
    }

    #[test]
    fn units_that_do_not_run_are_told() {
        let one = told(Examination {
            stopped_units: vec!["kubelet (inactive)".to_owned()],
            ..Examination::default()
        });
        assert_eq!(
            told_of(&judge_units(&[("a", &one)])),
            "error: kubelet (inactive) does not run, without which the node does nothing"
        );
        let well = NodeExamination::default();
        assert_eq!(
            told_of(&judge_units(&[("a", &well)])),
            "passed: containerd and kubelets run"
        );
    }

    #[test]
    fn what_components_say_is_told_with_their_node() {
        let check = Check {
            severity: Severity::Error,
            subject: "etcd".to_owned(),
            found: "it is gone".to_owned(),
            expected: "x".to_owned(),
            remedy: "y".to_owned(),
            ..Check::default()
        };
        let one = told(Examination {
            checks: vec![check],
            ..Examination::default()
        });
        let judged = judge_components(&[("a", &one)]);
        let Outcome::Problems(problems) = &judged else {
            panic!("nothing was found");
        };
        assert_eq!(problems[0].check.to_string(), "etcd of a: it is gone");
        let well = NodeExamination::default();
        assert_eq!(
            told_of(&judge_components(&[("a", &well)])),
            "passed: nothing is in their way"
        );
        assert_eq!(told_of(&judge_components(&[])), "skipped: no node tells");
    }

    #[test]
    fn full_disks_are_told() {
        let judged = |free| {
            let path = "/var".to_owned();
            let one = told(Examination {
                disks: vec![Disk { path, free }],
                ..Examination::default()
            });
            told_of(&judge_disks(&[("a", &one)]))
        };
        assert_eq!(judged(2 << 30), "passed: nodes have space");
        assert_eq!(judged(500 << 20), "warning: 500 MiB are free in /var");
        assert_eq!(judged(5 << 20), "error: 5 MiB are free in /var");
    }

    #[test]
    fn certificates_are_told_before_they_end() {
        let judged = |days: i64| {
            let path = "/a.crt".to_owned();
            let expires = 1_000_000_000 + days * 86_400 + 60;
            let one = told(Examination {
                certificates: vec![Certificate { path, expires }],
                ..Examination::default()
            });
            told_of(&judge_certificates(&[("a", &one)], 1_000_000_000))
        };
        assert_eq!(judged(364), "passed: the first expires in 364 days");
        assert_eq!(judged(29), "warning: /a.crt expires in 29 days");
        assert_eq!(judged(-1), "error: /a.crt has expired");
        let expired = |path: &str| Certificate {
            path: path.to_owned(),
            expires: 1,
        };
        let many = told(Examination {
            certificates: vec![expired("/a.crt"), expired("/b.crt")],
            ..Examination::default()
        });
        assert_eq!(
            told_of(&judge_certificates(&[("a", &many)], 1_000_000_000)),
            "error: /a.crt has expired (1 more do soon or have)",
            "what mends them is told once"
        );
        assert_eq!(
            told_of(&judge_certificates(&[], 0)),
            "skipped: no node tells of any"
        );
    }

    #[test]
    fn clocks_may_differ_by_the_time_of_the_question() {
        let judged = |now_ms, took| {
            let one = NodeExamination {
                examination: Examination {
                    now_ms,
                    ..Examination::default()
                },
                asked_ms: 100_000,
                took: Duration::from_secs(took),
            };
            told_of(&judge_clocks(&[("a", &one)]))
        };
        assert_eq!(judged(101_000, 0), "passed: they show this machine's time");
        assert_eq!(judged(105_000, 9), "passed: they show this machine's time");
        assert_eq!(
            judged(40_000, 1),
            "warning: its clock differs by 60 s from this machine's"
        );
    }
}
