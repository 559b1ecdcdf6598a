//! Waiting for a node's boot. A command that runs in a node before systemd has moved all processes out of the
//! root cgroup breaks the node's cgroups.

use std::io::Read;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::program::Program;
use super::streams;
use crate::{Boot, Code, Error};

const REACHED: &str = "Reached target ";
const TARGET: &str = "Multi-User System";
const CGROUP_V1: &str = "detected cgroup v1";
/// The same as kind looks for, in the error's words.
const PATTERN: &str = "Reached target .*Multi-User System.*|detected cgroup v1";
/// No line that counts is longer.
const LONGEST_LINE: usize = 64 * 1024;

/// Follows a node's console until it tells that the node is up.
pub(super) fn await_boot(
    program: &Program,
    node: &str,
    boot: Boot,
    limit: Duration,
) -> Result<(), Error> {
    let since = match boot {
        Boot::First => None,
        Boot::Later => find_start(program, node),
    };
    let since: Vec<_> = since.iter().flat_map(|time| ["--since", time]).collect();
    let arguments = [&["logs", "-f"], &since[..], &[node]].concat();
    let (mut call, reader) = streams::merge_streams(program, &arguments)?;
    let (told, hears) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let found = is_up(reader);
        // Nobody hears it after the limit.
        let _ = told.send(found);
    });
    let found = hears.recv_timeout(limit).unwrap_or(false);
    let ended = call.child.try_wait().ok().flatten();
    let _ = call.child.kill();
    program.end(call, &arguments)?;
    let _ = reading.join();
    match ended {
        _ if found => Ok(()),
        Some(status) if !status.success() => {
            program.check_engine(&arguments)?;
            let failure = program.ended_badly(&arguments, &status.to_string(), &[]);
            let remedy = "see what became of the node with the engine's own program";
            Err(Error::other(
                Code::Boot,
                format!("failed to read logs: {failure}"),
                remedy,
            ))
        }
        // Some engines lose the first lines of a console; the node itself knows.
        _ if asks_systemd(program, node) => Ok(()),
        _ => Err(Error::other(
            Code::Boot,
            format!("could not find a log line that matches {PATTERN:?}"),
            "read the node's console: `kind create cluster --retain`, then `kind export logs`",
        )),
    }
}

/// When the node's first program was started, if the engine tells that.
fn find_start(program: &Program, node: &str) -> Option<String> {
    let told = program.command_output(&["inspect", "--type=container", node]);
    let told: Value = serde_json::from_str(&told.ok()?).ok()?;
    let start = told.pointer("/0/State/StartedAt")?.as_str()?;
    Some(start.to_owned())
}

fn asks_systemd(program: &Program, node: &str) -> bool {
    let asked = [
        "exec",
        "--privileged",
        node,
        "systemctl",
        "is-active",
        "multi-user.target",
    ];
    program.command_output(&asked).is_ok()
}

/// Reads until the line; `false` if the console ends before.
fn is_up(mut console: impl Read) -> bool {
    let mut line = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let Ok(length @ 1..) = console.read(&mut buffer) else {
            return is_the_line(&line);
        };
        for byte in &buffer[..length] {
            match byte {
                b'\n' if is_the_line(&line) => return true,
                b'\n' => line.clear(),
                byte if line.len() < LONGEST_LINE => line.push(*byte),
                _ => {}
            }
        }
        // systemd's line may stand there for long before its end is printed.
        if is_the_line(&line) {
            return true;
        }
    }
}

fn is_the_line(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let reached = line.split_once(REACHED);
    reached.is_some_and(|(_, target)| target.contains(TARGET)) || line.contains(CGROUP_V1)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::stub;
    use super::*;

    #[test]
    fn the_line_is_found_between_colours() {
        for (console, up) in [
            (
                "a\n[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.\r\nb\n",
                true,
            ),
            ("Reached target \x1b[0;1;39mMulti-User System\x1b[0m.", true),
            ("INFO: detected cgroup v1\n", true),
            (
                "INFO: detected cgroup v2\nReached target Basic System\n",
                false,
            ),
            ("Multi-User System before Reached target x\n", false),
            ("", false),
        ] {
            assert_eq!(is_up(console.as_bytes()), up, "{console:?}");
        }
        let long = "x".repeat(LONGEST_LINE * 2) + "\ndetected cgroup v1\n";
        assert!(is_up(long.as_bytes()));
    }

    #[test]
    fn a_silent_console_is_not_followed_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let engine = stub::program(
            directory.path(),
            "[ $1 = logs ] && exec sleep 600\nexit 1\n",
        );
        let began = Instant::now();
        let program = Program::new(engine);
        let error =
            await_boot(&program, "node", Boot::First, Duration::from_millis(100)).unwrap_err();
        assert!(
            error.to_string().starts_with("could not find a log line"),
            "{error}"
        );
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    /// The engine calls of a wait for a boot, with this answer to what the container is.
    fn calls_of(boot: Boot, container: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let calls = directory.path().join("calls");
        let script = format!(
            "echo \"$*\" >>{}\ncase $1 in inspect) echo '{container}' ;; *) echo 'Reached target Multi-User System' ;; esac\n",
            calls.display()
        );
        let program = Program::new(stub::program(directory.path(), &script));
        await_boot(&program, "node", boot, Duration::from_secs(60)).unwrap();
        std::fs::read_to_string(calls).unwrap()
    }

    #[test]
    fn what_the_console_tells_of_earlier_boots_is_left_out() {
        let started = r#"[{"State":{"StartedAt":"2026-01-02T03:04:05.6Z"}}]"#;
        assert_eq!(calls_of(Boot::First, started), "logs -f node\n");
        let inspect = "inspect --type=container node";
        assert_eq!(
            calls_of(Boot::Later, started),
            format!("{inspect}\nlogs -f --since 2026-01-02T03:04:05.6Z node\n")
        );
        let unknown = calls_of(Boot::Later, "[{}]");
        assert_eq!(unknown, format!("{inspect}\nlogs -f node\n"));
    }
}
