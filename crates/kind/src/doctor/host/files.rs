//! The user's files: kubeconfigs, their locks, what docker keeps for its client.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::facts::Host;
use crate::access;
use crate::doctor::fix::Fix;
use crate::doctor::outcome::{Outcome, Problem};
use crate::kubeconfig::{self, HeldLock};

/// Whether a creation could write its entry.
pub(super) fn look_at_kubeconfig(host: &Host) -> Outcome {
    let Some(files) = &host.kubeconfigs else {
        let found = "nothing says where your kubeconfig is: HOME is not set";
        let remedy = "set HOME or KUBECONFIG, or use `--kubeconfig`";
        return Problem::warning(found, "a place for it", remedy).into();
    };
    match kubeconfig::check_files(files) {
        // A lock is another check's.
        Ok(_) => Outcome::Passed(files.write_target().display().to_string()),
        Err(error) => {
            let found = crate::error_chain(&error);
            let remedy = error.remedy().unwrap_or_else(|| {
                "correct the file, or choose another with `--kubeconfig`".to_owned()
            });
            Problem::error(found, "a kubeconfig that can be read and written", remedy).into()
        }
    }
}

/// Locks beside kubeconfigs: kubectl refuses to change a file for as long as there is one.
pub(super) fn look_at_locks(host: &Host) -> Outcome {
    let files = host.kubeconfigs.iter().flat_map(|files| files.all());
    let locks: Vec<_> = files
        .filter_map(|file| kubeconfig::find_lock(file))
        .collect();
    judge_locks(&locks)
}

fn judge_locks(locks: &[HeldLock]) -> Outcome {
    let problems = locks.iter().map(|lock| {
        let path = lock.path.display();
        let seconds = lock.age.map_or(0, |age| age.as_secs());
        let expected = "no lock while no program changes the file";
        if lock.is_stale {
            let found = format!(
                "{path} was left behind {seconds} s ago: kubectl changes nothing while it is there"
            );
            let remedy = format!("`rm {path}`");
            return Problem::warning(found, expected, remedy)
                .with_fix(Fix::remove_lock(&lock.path));
        }
        let holder = match lock.owner {
            Some(pid) => format!("process {pid}"),
            None => "another program".to_owned(),
        };
        let found = format!("{path} is held by {holder} for {seconds} s now");
        let remedy = format!("wait until it is done, or remove {path} if no such program runs");
        Problem::warning(found, expected, remedy)
    });
    Outcome::of_problems(problems.collect(), "no lock is in the way")
}

/// What `sudo docker login` leaves in a user's home is root's, and docker then fails for the user.
pub(super) fn look_at_docker_settings(host: &Host) -> Outcome {
    let home = host.variable("HOME").map(Path::new);
    let directory = match (host.variable("DOCKER_CONFIG"), home) {
        (Some(directory), _) => directory.into(),
        (None, Some(home)) => home.join(".docker"),
        (None, None) => return Outcome::skipped("HOME is not set"),
    };
    let config = directory.join("config.json");
    let Ok(found) = host.path(&config).metadata() else {
        return Outcome::skipped("there are none");
    };
    let may_read = std::fs::File::open(host.path(&config)).is_ok();
    judge_docker_settings(&config, &directory, found.uid(), may_read)
}

fn judge_docker_settings(config: &Path, directory: &Path, owner: u32, may_read: bool) -> Outcome {
    let config = config.display();
    if may_read {
        return Outcome::Passed(format!("{config} can be read"));
    }
    let found = format!("you may not read {config}, which belongs to user {owner}");
    let remedy = format!("`sudo chown -R $(id -u):$(id -g) {}`", directory.display());
    Problem::warning(found, "settings of your own", remedy).into()
}

/// The program that runs in every node.
pub(super) fn look_at_node_program(host: &Host) -> Outcome {
    judge_node_program(host.settings.agent.is_some())
}

fn judge_node_program(is_there: bool) -> Outcome {
    if is_there {
        return Outcome::passed("kind brings it");
    }
    let found = "this kind brings no program for nodes: clusters can be seen and deleted only";
    let remedy = "use a released kind, or put `kind-node` beside it";
    Problem::error(found, "a kind with its `kind-node`", remedy).into()
}

/// Whether what native nodes need may be made where it is kept.
pub(super) fn look_at_state_directory(host: &Host) -> Outcome {
    if !host.engines().used().is_native() {
        return Outcome::skipped("only the native engine keeps anything there");
    }
    let directory = &host.settings.state_dir;
    let shown = directory.display();
    match access::may_make_files_in(directory) {
        Ok(()) => Outcome::Passed(shown.to_string()),
        Err(error) => {
            let found = format!("{shown} cannot be written to: {error}");
            let remedy = "set KIND_STATE_DIR to a directory that can be";
            Problem::error(found, "a directory for images and nodes", remedy).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn locks_are_told_with_what_to_do() {
        assert_eq!(told(&judge_locks(&[])), "passed: no lock is in the way");
        let lock = |is_stale, owner| HeldLock {
            path: "/h/.kube/config.lock".into(),
            owner,
            age: Some(Duration::from_secs(90)),
            is_stale,
        };
        assert_eq!(
            told(&judge_locks(&[lock(true, None)])),
            "warning: /h/.kube/config.lock was left behind 90 s ago: kubectl changes nothing while it is there"
        );
        let held = judge_locks(&[lock(false, Some(7))]);
        assert_eq!(
            told(&held),
            "warning: /h/.kube/config.lock is held by process 7 for 90 s now"
        );
        let Outcome::Problems(problems) = held else {
            panic!("nothing was found");
        };
        assert_eq!(problems[0].fix, None);
    }

    #[test]
    fn what_root_has_left_in_a_home_is_told() {
        let judged = |may_read| {
            let (config, directory) =
                (Path::new("/h/.docker/config.json"), Path::new("/h/.docker"));
            told(&judge_docker_settings(config, directory, 0, may_read))
        };
        assert_eq!(judged(true), "passed: /h/.docker/config.json can be read");
        let expected = "warning: you may not read /h/.docker/config.json, which belongs to user 0";
        assert_eq!(judged(false), expected);
    }

    #[test]
    fn without_the_program_for_nodes_nothing_is_made() {
        assert_eq!(told(&judge_node_program(true)), "passed: kind brings it");
        assert!(told(&judge_node_program(false)).starts_with("error: "));
    }
}
