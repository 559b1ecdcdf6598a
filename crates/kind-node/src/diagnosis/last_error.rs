//! What is told of a start that has failed where nothing known is in the way.

use std::path::Path;
use std::time::SystemTime;

use kind_diagnosis::{Check, Component, examine_last_error};

use super::pods::{ContainerLog, find_logs};
use super::units::{Journal, journal_name, read_journal};

/// Containers that others wait for, the first of them first, and units likewise.
const CONTAINERS: [&str; 2] = ["etcd", "kube-apiserver"];
const UNITS: [&str; 2] = ["kubelet", "containerd"];

/// The last error of what everything else waited for.
pub(super) fn find_last_error(pods: &Path, since: SystemTime) -> Option<Check> {
    let journals = UNITS.map(|unit| (unit, read_journal(unit, since)));
    choose_last_error(&find_logs(pods, since), &journals)
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
