//! Signals: what a command says, leaves and answers with when it is interrupted.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kubeconfig::clusters;
use crate::messages::docker;
use crate::run::Stage;

/// No command takes longer to end, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Has the stage's docker hang in one of its commands, and say so.
fn hang_in(stage: &Stage, command: &str) {
    let path = stage.path("bin/docker");
    let script = std::fs::read_to_string(&path).unwrap();
    let script = script.trim_start_matches("#!/bin/sh\n");
    stage.program(
        "docker",
        &format!(
            "case $1 in {command}) : >\"${{0%/*}}/hangs\"; exec /usr/bin/sleep 600 ;; esac\n{script}"
        ),
    );
}

/// Begins a command; its stdin stays open.
fn start(stage: &Stage, line: &str) -> Child {
    let words: Vec<_> = line.split(' ').collect();
    let mut command = stage.command(&words);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until the command handles signals.
fn await_listening(child: &Child) {
    const SIGTERM: u32 = 15;
    let status = format!("/proc/{}/status", child.id());
    await_that("it does not listen", || {
        let status = std::fs::read_to_string(&status).unwrap();
        let mut lines = status.lines();
        let caught = lines.find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        caught & (1 << (SIGTERM - 1)) != 0
    });
}

fn send(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status();
    assert!(sent.unwrap().success());
}

/// The command's exit code and what it has said.
fn end(mut child: Child) -> (Option<i32>, String) {
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < LIMIT, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn what_has_made_nothing_ends_at_once() {
    for (line, signal) in [
        ("config validate -", "-TERM"),
        ("create cluster --config -", "-INT"),
        ("create cluster --config -", "-HUP"),
    ] {
        let stage = docker();
        let child = start(&stage, line);
        await_listening(&child);
        send(&child, signal);
        let (code, said) = end(child);
        assert_eq!(
            (code, said.as_str()),
            (Some(130), "ERROR: interrupted\n"),
            "{line}"
        );
    }
}

#[test]
fn whatever_hangs_is_left_after_one_signal() {
    for (line, hangs, told) in [
        ("get clusters", "ps", ""),
        ("get kubeconfig --name one", "cp", ""),
        (
            "delete cluster --name one",
            "rm",
            "Interrupted, cleaning up",
        ),
        ("delete clusters one two", "rm", "Interrupted, cleaning up"),
        ("export logs --name one", "exec", "are incomplete"),
        (
            "export kubeconfig --name one",
            "cp",
            "Interrupted, cleaning up",
        ),
        (
            "load image-archive - --name one",
            "exec",
            "Interrupted, cleaning up",
        ),
        (
            "load docker-image busybox:1 --name one",
            "save",
            "Interrupted, cleaning up",
        ),
        (
            "stop cluster --name one",
            "stop",
            "Interrupted, cleaning up",
        ),
        ("prune", "volume", "Interrupted, cleaning up"),
    ] {
        let stage = clusters();
        hang_in(&stage, hangs);
        let child = start(&stage, &format!("--provider=docker {line}"));
        // It reads what it loads before it asks a node.
        if line.contains("archive -") {
            await_listening(&child);
            std::thread::sleep(Duration::from_millis(500));
        } else {
            await_that(line, || stage.path("bin/hangs").exists());
        }
        send(&child, "-TERM");
        let (code, said) = end(child);
        assert_eq!(code, Some(130), "{line}: {said}");
        assert!(said.contains(told), "{line}: {said}");
        assert!(said.contains("interrupted"), "{line}: {said}");
    }
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_so() {
    let stage = docker();
    let mut command = Command::new("/bin/sh");
    let script = "trap '' HUP; exec \"$0\" config validate -";
    command.args(["-c", script, env!("CARGO_BIN_EXE_kind")]);
    command.env_clear().env("HOME", stage.path("home"));
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    await_listening(&child);
    send(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(300));
    send(&child, "-TERM");
    let (code, said) = end(child);
    assert_eq!((code, said.as_str()), (Some(130), "ERROR: interrupted\n"));
}

#[test]
fn a_lock_is_not_waited_for() {
    let stage = clusters();
    let file = stage.file("config", "kind: Config\n");
    stage.file("config.lock", "");
    let line = format!("--provider=docker export kubeconfig --name one --kubeconfig {file}");
    let child = start(&stage, &line);
    await_listening(&child);
    std::thread::sleep(Duration::from_millis(300));
    send(&child, "-INT");
    assert_eq!(end(child).0, Some(130));
    assert!(stage.path("config.lock").exists(), "the lock is not ours");
}

#[test]
fn a_second_signal_tells_what_is_left() {
    let stage = docker();
    hang_in(&stage, "create");
    for json in [false, true] {
        let format = if json { " -o json" } else { "" };
        let line = format!("--provider=docker create cluster --name a{format}");
        let child = start(&stage, &line);
        await_that("it does not create", || stage.path("bin/hangs").exists());
        std::fs::remove_file(stage.path("bin/hangs")).unwrap();
        for signal in ["-INT", "-TERM"] {
            send(&child, signal);
            std::thread::sleep(Duration::from_millis(300));
        }
        let (code, said) = end(child);
        assert_eq!(code, Some(130), "{said}");
        let message = "interrupted and left at once; there may be nodes of cluster \"a\"";
        let remedy = "`kind --provider docker delete cluster --name a` removes them";
        if json {
            let error: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
            assert_eq!(error["code"], "KIND-CANCELLED", "{said}");
            assert_eq!(error["message"], message);
            assert_eq!(error["remedy"], remedy);
            assert_eq!(error["exitCode"], 130);
        } else {
            let end = format!("ERROR: {message}\n\nhint: {remedy}\n");
            assert!(said.ends_with(&end), "{said}");
        }
    }
}
