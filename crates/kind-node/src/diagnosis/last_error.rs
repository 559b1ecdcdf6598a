//! What is told of a start that has failed where nothing known is in the way.

use std::path::Path;
use std::time::SystemTime;

use kind_diagnosis::{Check, Component, examine_exit, examine_last_error};

use super::pods::{ContainerLog, find_logs};
use super::units::{Journal, journal_name, read_journal};

/// Containers that others wait for, the first of them first, and units likewise.
const CONTAINERS: [&str; 2] = ["etcd", "kube-apiserver"];
const UNITS: [&str; 2] = ["kubelet", "containerd"];

/// What has ended this often does so again.
const CRASH_LOOP: u32 = 2;

/// Why a component of the control plane ends again and again, or the last error of what everything else waited for.
pub(super) fn find_last_error(pods: &Path, since: SystemTime) -> Option<Check> {
    let logs = find_logs(pods, since);
    find_crash_loop(&logs).or_else(|| {
        let journals = UNITS.map(|unit| (unit, read_journal(unit, since)));
        choose_last_error(&logs, &journals)
    })
}

/// The end before of what runs now, and has ended more than once.
fn find_crash_loop(logs: &[ContainerLog]) -> Option<Check> {
    let looping = logs.iter().filter(|log| log.restarts >= CRASH_LOOP);
    let log = looping.max_by_key(|log| log.restarts)?;
    let component = Component::new(&log.container);
    examine_exit(
        component,
        &log.path.display().to_string(),
        log.previous.as_ref()?,
    )
}

fn choose_last_error(logs: &[ContainerLog], journals: &[(&str, Journal)]) -> Option<Check> {
    let mut containers = CONTAINERS.iter().filter_map(|name| {
        let log = logs.iter().find(|log| log.container == *name)?;
        examine_last_error(
            Component::new(name),
            &log.path.display().to_string(),
            &log.log,
        )
    });
    let mut units = journals.iter().filter_map(|(unit, journal)| {
        let text = journal.current.join("\n");
        examine_last_error(Component::new(unit), &journal_name(unit), &text)
    });
    containers.next().or_else(|| units.next())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_ends_again_and_again_tells_before_what_runs() {
        let log = |restarts| ContainerLog {
            container: "kube-controller-manager".to_owned(),
            restarts,
            path: PathBuf::from("a.log"),
            modified: SystemTime::now(),
            log: "I1 1 1 a.go:1] begins".to_owned(),
            previous: Some("E1 1 1 a.go:1] \"Error building controllers\" err=\"odd\"".to_owned()),
        };
        let told = |restarts| find_crash_loop(&[log(restarts)]).map(|check| check.to_string());
        let odd = "kube-controller-manager: one of its controllers does not start: odd";
        assert_eq!(told(2).as_deref(), Some(odd));
        assert_eq!(told(1), None);
    }

    #[test]
    fn the_first_that_others_wait_for_tells() {
        let log = |container: &str, text: &str| ContainerLog {
            container: container.to_owned(),
            restarts: 0,
            path: PathBuf::from("a.log"),
            modified: SystemTime::now(),
            log: text.to_owned(),
            previous: None,
        };
        let journal = Journal {
            current: vec!["E1 1 1 a.go:1] three".to_owned()],
            ended: Vec::new(),
        };
        let journals = [("kubelet", journal)];
        let told = |logs: &[ContainerLog]| choose_last_error(logs, &journals).unwrap().to_string();
        let server = log("kube-apiserver", "E1 1 1 a.go:1] two");
        let etcd = log("etcd", "2026-11-29 09:46:45.9 E | etcdserver: one");
        assert_eq!(told(&[server.clone(), etcd]), "etcd: etcdserver: one");
        assert_eq!(told(&[server, log("etcd", "well")]), "kube-apiserver: two");
        assert_eq!(told(&[]), "kubelet: three");
        assert_eq!(choose_last_error(&[], &[]), None);
    }
}
