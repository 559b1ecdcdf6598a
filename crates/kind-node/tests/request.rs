//! Drives `kind-node request` as a caller does.

#![expect(clippy::unwrap_used, reason = "a test may end where it stands")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kind_node::request::{Event, KubeadmPhase, Request, Step, StepId};

fn start(root: &Path) -> Child {
    begin(root).spawn().unwrap()
}

fn begin(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kind-node"));
    command.args(["request", "--root"]).arg(root);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn frame(steps: Vec<Step>, files: &[(&str, u32, &str)]) -> Vec<u8> {
    let document = serde_json::to_vec(&Request { steps }).unwrap();
    let mut bytes = (document.len() as u32).to_be_bytes().to_vec();
    bytes.extend(document);
    let mut tar = tar::Builder::new(bytes);
    for (name, mode, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// Sends a request and gives its events and exit code.
fn ask(steps: Vec<Step>, files: &[(&str, u32, &str)]) -> (Vec<Event>, i32, tempfile::TempDir) {
    let root = tempfile::tempdir().unwrap();
    let (events, code) = answer_of(start(root.path()), &frame(steps, files));
    (events, code, root)
}

fn answer_of(mut child: Child, bytes: &[u8]) -> (Vec<Event>, i32) {
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let events = out
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    (events, child.wait().unwrap().code().unwrap())
}

fn shell(name: &str, script: &str) -> Step {
    Step::Run {
        id: StepId::Other,
        name: name.into(),
        argv: vec!["sh".into(), "-c".into(), script.into()],
        stdin: None,
    }
}

fn mark(id: StepId) -> Step {
    Step::Mark { id }
}

#[test]
fn files_stand_before_steps_run_and_events_tell_the_story() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("kind/kubeadm.conf");
    let steps = vec![
        Step::Read {
            id: StepId::SharedFile,
            path: path.display().to_string(),
        },
        Step::Run {
            id: StepId::Sysctls,
            name: "greet".into(),
            argv: vec!["cat".into()],
            stdin: Some("hello".into()),
        },
        mark(StepId::Serves),
    ];
    let mut child = start(root.path());
    let bytes = frame(steps, &[("kind/kubeadm.conf", 0o644, "config")]);
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(child.wait().unwrap().success());
    let events: Vec<Event> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        matches!(
            events.as_slice(),
            [
                Event::File { id: StepId::SharedFile, text, .. },
                Event::Started { id: StepId::Sysctls, name },
                Event::Finished { id: StepId::Sysctls, output, .. },
                Event::Marked { id: StepId::Serves },
            ] if text == "config" && name == "greet" && output == "hello"
        ),
        "{events:?}"
    );
}

#[test]
fn the_first_failure_ends_the_request_with_output_and_code() {
    let (events, code, _root) = ask(
        vec![shell("break", "echo why; exit 7"), mark(StepId::Other)],
        &[],
    );
    assert_eq!(code, 1);
    assert!(
        matches!(
            events.as_slice(),
            [Event::Started { .. }, Event::Failed { name, reason, output, .. }]
                if name == "break" && reason == "exit code 7" && output == "why\n"
        ),
        "{events:?}"
    );
}

/// Journals may take longer to read than everything else takes to end.
#[test]
fn a_failure_is_told_with_what_a_slow_journal_has() {
    let root = tempfile::tempdir().unwrap();
    let line = "Nov 28 22:05:45 a kubelet[2]: E1 1 1 run.go:72] \"command failed\" err=\"rpc error: \
                unknown service runtime.v1.RuntimeService\"";
    let journal = root.path().join("journalctl");
    let script = format!("#!/bin/sh\nsleep 1\necho '{line}'\n");
    std::fs::write(&journal, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&journal, executable).unwrap();
    let path = format!(
        "{}:{}",
        root.path().display(),
        std::env::var("PATH").unwrap()
    );
    let child = begin(root.path()).env("PATH", path).spawn().unwrap();
    let (events, code) = answer_of(child, &frame(vec![shell("break", "exit 3")], &[]));
    let Some(Event::Failed { reason, causes, .. }) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!((code, reason.as_str()), (1, "exit code 3"));
    assert_eq!(
        causes.first().map(|check| check.id.as_str()),
        Some("no-cri")
    );
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let steps = vec![Step::Run {
        id: StepId::Kubeadm(KubeadmPhase::Init),
        name: "kubeadm init".into(),
        argv: vec!["no-such-program".into()],
        stdin: None,
    }];
    let (events, code, _root) = ask(steps, &[]);
    assert_eq!(code, 1);
    let Some(Event::Failed { id, reason, .. }) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!(*id, StepId::Kubeadm(KubeadmPhase::Init));
    assert!(reason.starts_with("run no-such-program: "), "{reason}");
}

#[test]
fn sequences_run_at_once_and_one_failure_ends_the_others() {
    let begin = Instant::now();
    let (events, code, _root) = ask(
        vec![Step::Together {
            sequences: vec![
                vec![
                    shell("long", "trap '' TERM; sleep 60 & wait"),
                    mark(StepId::Other),
                ],
                vec![shell("short", "sleep 0.2; exit 1")],
            ],
        }],
        &[],
    );
    assert_eq!(code, 1);
    assert!(begin.elapsed() < Duration::from_secs(20));
    let failures: Vec<_> = events
        .iter()
        .filter(|event| matches!(event, Event::Failed { .. }))
        .collect();
    assert!(
        matches!(failures.as_slice(), [Event::Failed { name, .. }] if name == "short"),
        "{events:?}"
    );
}

#[test]
fn waiting_ends_with_success_or_with_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let file = directory.path().join("file").display().to_string();
    let listening = std::thread::spawn({
        let (socket, file) = (socket.clone(), file.clone());
        move || {
            std::thread::sleep(Duration::from_millis(150));
            std::fs::write(file, "").unwrap();
            let listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
            listener.accept().unwrap();
        }
    });
    let (events, code, _root) = ask(
        vec![
            Step::Wait {
                id: StepId::Other,
                name: "file".into(),
                argv: vec!["test".into(), "-e".into(), file],
                timeout_ms: 5000,
            },
            Step::WaitSocket {
                id: StepId::ContainerRuntime,
                path: socket.display().to_string(),
                timeout_ms: 5000,
            },
            mark(StepId::Joined),
            Step::Wait {
                id: StepId::Other,
                name: "never".into(),
                argv: vec!["sleep".into(), "60".into()],
                timeout_ms: 200,
            },
        ],
        &[],
    );
    listening.join().unwrap();
    assert_eq!(code, 1);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Marked { .. }))
    );
    assert!(
        matches!(events.last(), Some(Event::Failed { name, .. }) if name == "never"),
        "{events:?}"
    );
}

#[test]
fn a_hostile_tar_is_a_failure_of_the_files() {
    let mut bytes = frame(vec![mark(StepId::Other)], &[]);
    let end = bytes.len() - 1024;
    bytes.truncate(end);
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.as_old_mut().name[..7].copy_from_slice(b"../evil");
    header.set_cksum();
    bytes.extend(header.as_bytes());
    let root = tempfile::tempdir().unwrap();
    let mut child = start(root.path());
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(text.contains(r#""name":"files""#), "{text}");
}

/// Starts a request that runs a sleeping program and gives that program's process id.
fn start_sleeper() -> (Child, u32) {
    let root = tempfile::tempdir().unwrap();
    let mut child = start(root.path());
    let file = root.path().join("pid");
    let script = format!(
        "echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60",
        file.display()
    );
    let bytes = frame(vec![shell("sleep", &script)], &[]);
    // The caller's end of stdin stays open, as that of a terminal does.
    child.stdin.as_mut().unwrap().write_all(&bytes).unwrap();
    let process = wait_for_number(&file);
    (child, process)
}

fn wait_for_number(file: &Path) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Ok(text) = std::fs::read_to_string(file) {
            return text.trim().parse().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the program does not start");
}

fn assert_gone(process: u32) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new(&format!("/proc/{process}/exe"))
        .read_link()
        .is_ok()
    {
        assert!(Instant::now() < deadline, "{process} still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn programs_end_when_nobody_reads_the_answer() {
    let (mut child, sleeper) = start_sleeper();
    drop(child.stdout.take());
    assert_gone(sleeper);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn programs_end_when_the_request_is_interrupted() {
    let (mut child, sleeper) = start_sleeper();
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    assert_gone(sleeper);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn an_interrupt_ends_a_request_that_is_still_being_read() {
    let root = tempfile::tempdir().unwrap();
    let mut child = start(root.path());
    child.stdin.as_mut().unwrap().write_all(&[0, 0]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let killed = Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
