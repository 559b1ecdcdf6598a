//! Completion in the shells themselves, at a terminal, of what exists while somebody types.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kind_testkit::machine::require_programs;

use crate::kubeconfig::clusters;
use crate::run::Stage;
use crate::terminal::terminal;

/// What is typed before the tabulator, and the line after it.
const LINES: [(&str, &str); 9] = [
    ("kind get no", "kind get nodes"),
    ("kind create cluster --wa", "kind create cluster --wait"),
    (
        "kind delete cluster --name o",
        "kind delete cluster --name one",
    ),
    (
        "kind delete cluster --name=t",
        "kind delete cluster --name=two",
    ),
    ("kind delete clusters one t", "kind delete clusters one two"),
    (
        "kind load docker-image busybox --name one --nodes one-c",
        "kind load docker-image busybox --name one --nodes one-control-plane",
    ),
    (
        "kind load docker-image kindest/node:v",
        "kind load docker-image kindest/node:v1",
    ),
    (
        "kind create cluster --config clus",
        "kind create cluster --config cluster.yaml",
    ),
    (
        "kind create cluster --config=clus",
        "kind create cluster --config=cluster.yaml",
    ),
];

/// A home where shells find `kind`, two clusters and a file.
fn stage() -> Stage {
    let stage = clusters().with("KIND_EXPERIMENTAL_PROVIDER", "docker");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kind"), stage.path("bin/kind")).unwrap();
    stage.file("cluster.yaml", "");
    stage
}

/// A shell in that home.
fn shell(stage: &Stage, program: &str) -> Command {
    require_programs(&[program]);
    let surroundings = stage.command(&[]);
    let mut command = Command::new(program);
    command.env_clear();
    for (name, value) in surroundings.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let path = format!("{}:/usr/bin:/bin", stage.path("bin").display());
    command
        .env("PATH", path)
        .env("TERM", "xterm")
        .current_dir(surroundings.get_current_dir().unwrap());
    command
}

/// Types every line with a tabulator into a shell at a terminal and returns what became of it: each
/// completed line is made an `echo` into a file.
fn completed(stage: &Stage, mut command: Command, setup: &str) -> Vec<String> {
    let (screen, end) = terminal();
    let answers = stage.path("answers");
    fs::write(&answers, "").unwrap();
    command
        .stdin(end.try_clone().unwrap())
        .stdout(end.try_clone().unwrap())
        .stderr(Stdio::from(end));
    let mut child = command.spawn().unwrap();
    // The parent's copies of the terminal's end have to go, or reading would not end.
    drop(command);
    let mut keys = screen.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut screen, mut shown) = (screen, Vec::new());
        let _ = screen.read_to_end(&mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    });
    let mut press = |text: String, lines: usize| {
        keys.write_all(text.as_bytes()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while fs::read_to_string(&answers).unwrap().lines().count() < lines {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    };
    let mut answered = press(format!("{setup}\recho ready >>answers\r"), 1);
    for (number, (typed, _)) in LINES.iter().enumerate() {
        // Behind the tabulator: to the line's beginning, and to its end.
        let text = format!("{typed}\t\x01echo \x05>>answers\r");
        answered = answered && press(text, number + 2);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let shown = reader.join().unwrap();
    assert!(answered, "{shown}");
    let answers = fs::read_to_string(&answers).unwrap();
    answers
        .lines()
        .skip(1)
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn expected() -> Vec<String> {
    LINES.iter().map(|(_, line)| (*line).to_owned()).collect()
}

#[test]
fn bash_completes_what_exists() {
    let stage = stage();
    let mut bash = shell(&stage, "bash");
    bash.args(["--norc", "--noprofile", "-i"]);
    let lines = completed(&stage, bash, "source <(kind completion bash)");
    assert_eq!(lines, expected());
}

#[test]
fn zsh_completes_what_exists() {
    // By a command, and by a file among the shell's functions.
    for (number, setup) in [
        "autoload -Uz compinit; compinit -u -D; source <(kind completion zsh)",
        "kind completion zsh > functions/_kind; fpath=(functions $fpath); autoload -Uz compinit; compinit -u -D",
    ]
    .into_iter()
    .enumerate()
    {
        let stage = stage();
        fs::create_dir(stage.path("functions")).unwrap();
        let mut zsh = shell(&stage, "zsh");
        zsh.args(["-f", "-i"]);
        let setup = format!("bindkey -e; {setup}");
        assert_eq!(completed(&stage, zsh, &setup), expected(), "{number}");
    }
}

#[test]
fn fish_completes_what_exists() {
    let stage = stage();
    for (typed, line) in LINES {
        let mut fish = shell(&stage, "fish");
        let script = format!("kind completion fish | source; complete -C '{typed}'");
        let output = fish.args(["--no-config", "-c", &script]).output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<_> = found
            .lines()
            .map(|line| line.split('\t').next().unwrap())
            .collect();
        let last = line.rsplit(' ').next().unwrap();
        assert_eq!(words, [last], "{typed}: {output:?}");
    }
}
