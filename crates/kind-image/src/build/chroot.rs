//! Running programs inside a root directory, with mounts that nobody else sees.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A root directory to run programs in.
///
/// They get mount and process namespaces of their own, `/proc` and the host's `/dev` and resolver; all
/// of it, and every process left over, is gone when the program ends.
#[derive(Debug)]
pub(super) struct Chroot<'a> {
    root: &'a Path,
    binds: Vec<(PathBuf, &'static str)>,
    empty: Vec<&'static str>,
}

impl<'a> Chroot<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self {
            root,
            binds: Vec::new(),
            empty: vec!["/tmp", "/run"],
        }
    }

    /// Shows a directory of the host at a path of the root.
    pub(super) fn bind_directory(mut self, host: &Path, path: &'static str) -> Self {
        self.binds.push((host.to_owned(), path));
        self
    }

    /// The command that runs a program in the root.
    pub(super) fn command<S: AsRef<OsStr>>(&self, argv: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--propagation",
                "private",
            ])
            .args(["sh", "-eu", "-c", include_str!("files/enter.sh"), "enter"])
            .arg(self.root)
            .env("HOME", "/root")
            .env_remove("TMPDIR");
        for path in &self.empty {
            command.args(["empty", "tmpfs", path]);
        }
        for (host, path) in &self.binds {
            command.arg("bind").arg(host).arg(path);
        }
        command.arg("run").args(argv);
        command
    }

    /// The command that runs a shell script in the root, with arguments.
    pub(super) fn script(&self, script: &str, arguments: &[&str]) -> Command {
        let argv = ["sh", "-eu", "-c", script, "sh"];
        self.command(argv.iter().chain(arguments))
    }
}
