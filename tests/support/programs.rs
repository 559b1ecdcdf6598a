//! The programs under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::answer::{Answer, answer};
use crate::limits::{limit, stretched};
use crate::{Engine, User, is_ordinary_user};

/// A kind command on one engine, with a home and a state directory of its own.
#[derive(Debug)]
pub struct Kind {
    program: PathBuf,
    /// The option that names the engine; the original has none and is told by its environment.
    option: Option<&'static str>,
    directory: PathBuf,
    engine: Arc<Engine>,
    /// Who runs it, if not root.
    user: Option<User>,
}

/// An engine without root keeps its images in the user's home directory: that one, whatever the command's is.
fn keep_store(command: &mut Command) {
    let home = std::env::var_os("HOME").filter(|_| is_ordinary_user());
    if let Some(home) = home {
        command.env("XDG_DATA_HOME", Path::new(&home).join(".local/share"));
    }
}

impl Kind {
    /// The command under test at `program`, working below `directory`.
    ///
    /// # Panics
    /// If its home directory cannot be made.
    pub fn new(program: PathBuf, directory: &Path, engine: Arc<Engine>) -> Self {
        fs::create_dir_all(directory.join("home")).expect("a home directory");
        Self {
            program,
            option: Some("--provider"),
            directory: directory.to_owned(),
            engine,
            user: None,
        }
    }

    /// The command under test for a user who is not root, with nothing set that says where files go. Everything of
    /// that user is below `directory`, which anybody can look into: a copy of the program in `bin`, `home` and `tmp`.
    ///
    /// # Panics
    /// If that cannot be made.
    #[must_use]
    pub fn of_user(&self, user: User, directory: &Path) -> Self {
        let program = directory.join("bin/kind");
        User::copy_program(&self.program, &program);
        for part in ["home", "tmp"] {
            user.make_directory(&directory.join(part));
        }
        let mut kind = Self::new(program, directory, self.engine.clone());
        kind.user = Some(user);
        kind
    }

    /// The original kind at `program`, working below `directory`.
    pub fn original(program: PathBuf, directory: &Path, engine: Arc<Engine>) -> Self {
        Self {
            option: None,
            ..Self::new(program, directory, engine)
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

    /// Whether nodes run without any container engine.
    pub fn is_native(&self) -> bool {
        self.engine.is_native()
    }

    /// A command line, not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.user {
            Some(user) => user.command(&self.program),
            None => Command::new(&self.program),
        };
        self.engine.prepare(&mut command);
        match self.option {
            Some(option) => command
                .args([option, self.engine.name()])
                .env_remove("KIND_EXPERIMENTAL_PROVIDER"),
            None => command.env("KIND_EXPERIMENTAL_PROVIDER", self.engine.name()),
        };
        command
            .args(stretched(arguments))
            .env("HOME", self.directory.join("home"))
            .env_remove("KUBECONFIG")
            .env_remove("KIND_CLUSTER_NAME");
        match self.user {
            Some(_) => {
                for variable in PLACES {
                    command.env_remove(variable);
                }
                command.env("TMPDIR", self.directory.join("tmp"));
            }
            None => {
                command.env("KIND_STATE_DIR", self.state());
                keep_store(&mut command);
            }
        }
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

/// What would say where files of `kind` go.
const PLACES: [&str; 5] = [
    "KIND_STATE_DIR",
    "KIND_CACHE_DIR",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
];

/// Asks again until it is so.
///
/// # Panics
/// If it is not so within `seconds` of a common machine, with the last answer.
pub fn eventually<T: std::fmt::Debug>(
    what: &str,
    seconds: u64,
    mut ask: impl FnMut() -> Result<(), T>,
) {
    let deadline = Instant::now() + limit(seconds);
    while let Err(answer) = ask() {
        assert!(
            Instant::now() < deadline,
            "{what}: not within {seconds} s; last answer: {answer:#?}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}
