//! The programs under test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a program answered.
#[derive(Debug)]
pub struct Answer {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Answer {
    /// The output of a program that succeeded.
    ///
    /// # Panics
    /// If it failed, with everything it said.
    pub fn expect(self, what: &str) -> String {
        assert!(self.code == 0, "{what} failed: {self:#?}");
        self.stdout
    }
}

/// The command under test, with a home and a state directory of its own.
#[derive(Debug)]
pub struct Kind {
    program: PathBuf,
    directory: PathBuf,
}

impl Kind {
    /// The command at `program`, working below `directory`.
    pub fn new(program: PathBuf, directory: &Path) -> Self {
        Self {
            program,
            directory: directory.to_owned(),
        }
    }

    /// The kubeconfig it writes.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.join("home/.kube/config")
    }

    /// The native engine's directory.
    pub fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    /// A command line, not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--provider", "native"])
            .args(arguments)
            .env("HOME", self.directory.join("home"))
            .env("KIND_STATE_DIR", self.state())
            .env_remove("KIND_EXPERIMENTAL_PROVIDER")
            .env_remove("KUBECONFIG")
            .env_remove("KIND_CLUSTER_NAME");
        command
    }

    /// Runs `kind` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        answer(&mut self.command(arguments), None)
    }

    /// Starts `kind` with these arguments.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().expect("kind can be started")
    }

    /// A `kubectl` command line for the cluster in the kubeconfig.
    pub fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.args(arguments).env("KUBECONFIG", self.kubeconfig());
        command
    }

    /// Runs `kubectl` with these arguments.
    pub fn ask(&self, arguments: &[&str]) -> Answer {
        answer(&mut self.kubectl(arguments), None)
    }

    /// Creates or changes the objects of a manifest.
    ///
    /// # Panics
    /// If the cluster does not take them.
    pub fn apply(&self, manifest: &str) {
        let mut command = self.kubectl(&["apply", "-f", "-"]);
        answer(&mut command, Some(manifest)).expect("kubectl apply");
    }

    /// Runs a shell command in a pod.
    pub fn shell(&self, pod: &str, script: &str) -> Answer {
        self.ask(&["exec", pod, "--", "/bin/sh", "-c", script])
    }
}

fn answer(command: &mut Command, input: Option<&str>) -> Answer {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    if let Some(mut stdin) = child.stdin.take() {
        stdin
            .write_all(input.unwrap_or_default().as_bytes())
            .expect("the program reads its input");
    }
    let output = child.wait_with_output().expect("the program ends");
    Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Asks again until it is so.
///
/// # Panics
/// If it is not so within `seconds`, with the last answer.
pub fn eventually<T: std::fmt::Debug>(
    what: &str,
    seconds: u64,
    mut ask: impl FnMut() -> Result<(), T>,
) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while let Err(answer) = ask() {
        assert!(
            Instant::now() < deadline,
            "{what}: not within {seconds} s; last answer: {answer:#?}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}
