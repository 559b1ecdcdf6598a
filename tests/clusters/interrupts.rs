//! Signals in the middle of what a command does: it ends soon, with 130, and what is there can be used.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command};
use std::time::{Duration, Instant};

use kind_e2e::{eventually, limit};

use crate::faults::{clusters, signal};
use crate::loading::Images;
use crate::names::VICTIM;
use crate::world::World;

/// Seconds that a command may take to end.
const END: u64 = 15;

/// A command and what it says.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Sends a signal as soon as the command has said this; false if it ended without.
    fn interrupt_at(&mut self, words: &str, name: &str) -> bool {
        let mut lines = self.stderr.by_ref().lines().map_while(Result::ok);
        let said = lines.any(|line| line.contains(words));
        if said {
            signal(name, &self.child.id().to_string());
        }
        said
    }

    /// Its exit code and the rest of what it has said.
    fn end(mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() && began.elapsed() < limit(END) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = self.child.try_wait().unwrap();
        let _ = self.child.kill();
        let mut said = String::new();
        let _ = self.stderr.read_to_string(&mut said);
        (status.and_then(|status| status.code()), said)
    }
}

/// The second signal, given as soon as the first one was heard, names what may be left; unless all was cleaned up by
/// then. What it names removes it.
pub(crate) fn a_second_interrupt_tells_what_is_left(world: &World) {
    let arguments = ["create", "cluster", "--wait", "2m", "--name", VICTIM];
    let create = [&arguments[..], &world.image()].concat();
    let mut creating = Running::start(world.kind.command(&create));
    assert!(creating.interrupt_at("Starting control-plane", "-TERM"));
    let again = creating.interrupt_at("Interrupted, cleaning up", "-INT");
    assert!(again, "the first signal is answered");
    let (code, said) = creating.end();
    assert_eq!(code, Some(130), "{said}");
    if !clusters(world).contains(VICTIM) {
        return;
    }
    let left = format!("there may be nodes of cluster {VICTIM:?}");
    assert!(said.contains(&left), "{said}");
    assert!(
        said.contains(&format!("delete cluster --name {VICTIM}")),
        "{said}"
    );
    // The engine may still be at what it was told to remove.
    eventually("what is left is removed", 60, || {
        let answer = world.kind.run(&["delete", "cluster", "--name", VICTIM]);
        (answer.code == 0).then_some(()).ok_or(answer)
    });
    assert_eq!(clusters(world), "e2e\n");
}

/// Tries again where a command was done before the signal reached it; what the interrupted one said.
fn interrupt(mut attempt: impl FnMut(usize) -> (Option<i32>, String)) -> (usize, String) {
    for number in 0..5 {
        let (code, said) = attempt(number);
        if code != Some(0) {
            assert_eq!(code, Some(130), "{said}");
            return (number, said);
        }
    }
    panic!("every command was done before the signal reached it");
}

/// What a command says that is done without a signal.
fn complete(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// A load that is ended in the middle, and the same load once more.
pub(crate) fn an_interrupted_load_can_be_repeated(world: &World) {
    let images = Images::new(world);
    let load = |number| {
        let archive = images.large(&format!("interrupted{number}"));
        let load = ["load", "image-archive", "--name", "e2e", "-v2"];
        let load = [&load[..], &[archive.to_str().unwrap()]].concat();
        world.kind.command(&load)
    };
    let (number, _) = interrupt(|number| {
        let mut loading = Running::start(load(number));
        assert!(loading.interrupt_at("sending ", "-TERM"));
        loading.end()
    });
    let said = complete(load(number));
    assert!(said.contains("sending "), "{said}");
}

/// Logs that are collected by half are told so, and can be collected into the same place again.
pub(crate) fn an_interrupted_export_of_logs_tells_so(world: &World) {
    let target = |number| world.directory.path().join(format!("half-logs{number}"));
    let export = |number| {
        let target = target(number);
        let export = ["export", "logs", "--name", "e2e", target.to_str().unwrap()];
        world.kind.command(&export)
    };
    let (number, said) = interrupt(|number| {
        let exporting = Running::start(export(number));
        let begun = target(number).join("kind-version.txt");
        let deadline = Instant::now() + limit(30);
        while !begun.exists() {
            assert!(Instant::now() < deadline, "the export does not begin");
            std::thread::sleep(Duration::from_millis(1));
        }
        signal("-TERM", &exporting.child.id().to_string());
        exporting.end()
    });
    assert!(said.contains("are incomplete"), "{said}");
    complete(export(number));
}
