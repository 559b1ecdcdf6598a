//! A command that is killed in the middle.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::moments::{Moment, Victims};
use crate::Failure;

/// Starts the command and kills it at that moment; how it ended, if it was done before.
pub(super) fn kill_at(mut command: Command, moment: Moment) -> Result<Option<ExitStatus>, Failure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn()?;
    while begun.elapsed() < moment.after {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(1).min(moment.after));
    }
    kill(&mut child, moment.victims)?;
    child.wait()?;
    Ok(None)
}

fn kill(child: &mut Child, victims: Victims) -> Result<(), Failure> {
    match victims {
        Victims::Command => child.kill()?,
        Victims::Tree => {
            let pids = with_descendants(child.id(), &parents()?);
            let pids = pids.iter().map(u32::to_string);
            // Who has ended meanwhile is no failure.
            Command::new("kill")
                .arg("-KILL")
                .args(pids)
                .stderr(Stdio::null())
                .status()?;
        }
    }
    Ok(())
}

/// A process and all that are below it, the parents first.
fn with_descendants(pid: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = parents.iter().filter(|(_, of)| **of == parent);
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// The parent of every process.
fn parents() -> Result<BTreeMap<u32, u32>, Failure> {
    let entries = fs::read_dir("/proc")?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let of = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        Some((pid, line.trim().parse().ok()?))
    };
    Ok(pids.filter_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_processes_below_one_are_found() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 2)]);
        assert_eq!(with_descendants(2, &parents), [2, 3, 6, 4]);
    }

    #[test]
    fn a_command_ends_with_what_it_has_started() {
        let started = || {
            let mut command = Command::new("sh");
            command.args(["-c", "sleep 60 & wait"]);
            command
        };
        let moment = |millis, victims| Moment {
            after: Duration::from_millis(millis),
            victims,
        };
        let mut child = started().spawn().unwrap();
        let sleeper = loop {
            if let [_, sleeper] = with_descendants(child.id(), &parents().unwrap())[..] {
                break sleeper;
            }
        };
        kill(&mut child, Victims::Tree).unwrap();
        child.wait().unwrap();
        let state = || fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
        let deadline = Instant::now() + Duration::from_secs(10);
        // Whoever takes over orphans may be slow to hear of its end.
        while !(state().is_empty() || state().contains(") Z ")) {
            assert!(Instant::now() < deadline, "{}", state());
        }
        let done = kill_at(Command::new("true"), moment(5000, Victims::Tree)).unwrap();
        assert!(done.is_some_and(|status| status.success()));
        let mut sleep = Command::new("sleep");
        sleep.arg("60");
        assert!(
            kill_at(sleep, moment(1, Victims::Command))
                .unwrap()
                .is_none()
        );
    }
}
