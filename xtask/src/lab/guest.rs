//! The guest, behind its script.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ways::User;
use crate::Failure;
use crate::shell::{self, program, say};

/// A guest that a script starts and reaches.
pub(super) struct Guest {
    script: PathBuf,
    directory: PathBuf,
}

impl Guest {
    /// The guest of a script, which keeps it in the directory of `LAB`.
    pub(super) fn new(script: PathBuf) -> Result<Self, Failure> {
        if !script.is_file() {
            let problem = "there is no guest's script at";
            return Err(format!("{problem} {}; name one with --lab", script.display()).into());
        }
        let directory = std::env::var_os("LAB").map(PathBuf::from);
        Ok(Self {
            script,
            directory: directory.unwrap_or_else(|| "/var/cache/kind-lab".into()),
        })
    }

    /// Directory of the host that the guest shows at `/mnt/lab`.
    pub(super) fn share(&self) -> PathBuf {
        self.directory.join("share")
    }

    /// Starts it unless it answers.
    pub(super) fn up(&self) -> Result<(), Failure> {
        if shell::output(self.command(User::Root).arg("true")).is_ok() {
            return Ok(());
        }
        shell::run(self.script().arg("up"))
    }

    /// Shuts it down.
    pub(super) fn down(&self) -> Result<(), Failure> {
        shell::run(self.script().arg("down"))
    }

    /// Runs a shell command to its end.
    pub(super) fn shell(&self, user: User, command: &str) -> Result<String, Failure> {
        shell::output(self.command(user).arg(command))
    }

    /// Runs a shell command, shows what it prints, and returns that and whether it succeeded.
    pub(super) fn stream(&self, user: User, command: &str) -> Result<(String, bool), Failure> {
        let mut child = self
            .command(user)
            .arg(format!("{command} 2>&1"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut printed = String::new();
        let output = child.stdout.take().map(BufReader::new);
        for line in output.into_iter().flat_map(|output| output.split(b'\n')) {
            let line = String::from_utf8_lossy(&line?).into_owned();
            say(&line);
            printed.push_str(&line);
            printed.push('\n');
        }
        let status = child.wait()?;
        Ok((printed, status.success()))
    }

    fn script(&self) -> Command {
        let mut command = program(Path::new(&self.script));
        command.env("LAB", &self.directory);
        command
    }

    fn command(&self, user: User) -> Command {
        let mut command = self.script();
        command.arg("sh");
        if user == User::Ordinary {
            command.arg("-u");
        }
        command
    }
}
