//! What goes from a process to the next one: the calling program is executed again for what needs a
//! single-threaded process of its own.
//!
//! `PROGRAM __native FILE` with a [`Call`] as JSON in a file that is in memory only: arguments can be seen by every user, and
//! commands have secrets. Failures come back through a file, because a helper's standard streams belong to what it
//! runs. Of the caller's environment a helper gets where programs are: a monitor stays for long, and it is nothing of
//! its.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{MemfdFlags, memfd_create};
use serde::{Deserialize, Serialize};

use super::state::{State, io_error, make_directory};
use crate::{Code, Error};

pub(super) const INTERNAL_COMMAND: &str = "__native";

/// Exit code of a helper that failed itself and wrote a report.
pub(super) const FAILED: i32 = 254;

/// What the monitor tells the process that started it, once the node runs.
pub(super) const STARTED: &[u8] = b"started\n";

/// What a helper is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) state: PathBuf,
    pub(super) node: String,
    pub(super) task: Task,
    /// Where the helper writes why it failed.
    pub(super) report: PathBuf,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Task {
    /// Start the node and stay with it.
    Monitor,
    /// Become the node's first process, with its console at this path.
    Init { console: PathBuf },
    /// Run a command in the node.
    Exec(ExecRequest),
    /// Unpack a tar stream from stdin below this directory of the node.
    Unpack { directory: PathBuf },
    /// Pack this path of the node as a tar stream to stdout.
    Pack { path: PathBuf },
    /// Fill the node's `/var` from its image.
    FillVar,
    /// Unpack in this directory what an image of these layers has packed. It is about no node.
    Prepare {
        directory: PathBuf,
        layers: Vec<PathBuf>,
    },
}

/// A command, on its way to the helper that runs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ExecRequest {
    pub(super) argv: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) tty: bool,
}

/// Why a helper failed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) remedy: String,
}

/// A helper about to be started.
pub(super) struct Helper {
    /// The command, for its streams to be set.
    pub(super) command: Command,
    report: PathBuf,
    /// Open until the helper has read it.
    _call: File,
}

impl Helper {
    /// A helper for one task on one node. `program` is executed with the words of [`super::helper_main`].
    pub(super) fn new(
        program: &Path,
        state: &State,
        node: &str,
        task: Task,
    ) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let reports = state.reports();
        make_directory(&reports)?;
        let report = reports.join(format!("{}-{count}", std::process::id()));
        let call = Call {
            state: state.root().to_owned(),
            node: node.to_owned(),
            task,
            report: report.clone(),
        };
        let text = serde_json::to_vec(&call).map_err(|source| Error::Record {
            path: report.clone(),
            source,
        })?;
        let call = write_call(&text).map_err(Error::io("hand a task to a helper process"))?;
        let mut command = Command::new(program);
        command
            .args([INTERNAL_COMMAND, &call_path(&call)])
            .env_clear()
            .env("PATH", kind_net::search_path());
        Ok(Self {
            command,
            report,
            _call: call,
        })
    }

    /// The error of a helper that ended with `code`, if it failed itself.
    pub(super) fn check_exit(&self, code: Option<i32>) -> Result<i32, Error> {
        match code {
            Some(FAILED) => Err(self.read_failure()),
            Some(code) => Ok(code),
            None => Err(Error::other(
                Code::HelperKilled,
                "a helper process of the native engine was killed",
                "",
            )),
        }
    }

    /// The helper wrote a report.
    pub(super) fn has_report(&self) -> bool {
        fs::metadata(&self.report).is_ok_and(|report| report.len() > 0)
    }

    /// What the helper wrote before it failed.
    pub(super) fn read_failure(&self) -> Error {
        let text = fs::read(&self.report).unwrap_or_default();
        match serde_json::from_slice::<Report>(&text) {
            Ok(report) => Error::Other {
                code: report.code,
                message: report.message,
                remedy: report.remedy,
            },
            Err(_) => Error::other(
                Code::Helper,
                "a helper process of the native engine failed without a reason",
                "",
            ),
        }
    }

    /// Runs the helper to its end, with the streams that are set.
    pub(super) fn run_helper(mut self) -> Result<i32, Error> {
        let status = self
            .command
            .status()
            .map_err(io_error("execute", Path::new(self.command.get_program())))?;
        self.check_exit(status.code())
    }
}

impl Call {
    /// What the file at that path asks for.
    pub(super) fn read(path: &OsStr) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}

/// A file in memory.
fn write_call(text: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("call", MemfdFlags::CLOEXEC)?);
    file.write_all(text)?;
    Ok(file)
}

/// Where another process of this user finds an open file.
fn call_path(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = fs::remove_file(&self.report);
    }
}

/// The program that runs now, for a helper that starts the next one.
pub(super) fn own_program() -> &'static Path {
    Path::new("/proc/self/exe")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_helper_shows_no_secret_and_keeps_nothing_of_its_callers_environment() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("program");
        fs::write(&program, "#!/bin/sh\necho \"$@\"\n/usr/bin/env\n").unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let state = State::new(place.path().join("state"));
        let request = ExecRequest {
            argv: vec!["true".to_owned()],
            env: [("PASSWORD".to_owned(), "hidden".to_owned())].into(),
            tty: false,
        };
        state.make_directories().unwrap();
        let mut helper = Helper::new(&program, &state, "n", Task::Exec(request)).unwrap();
        let path = helper.command.get_args().last().unwrap().to_owned();
        let Task::Exec(read) = Call::read(&path).unwrap().task else {
            panic!("another task");
        };
        assert_eq!(read.env["PASSWORD"], "hidden");
        let output = helper.command.output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.starts_with("__native /proc/"), "{told}");
        assert!(!told.contains("hidden"), "{told}");
        // cargo sets it for whoever runs tests.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert!(!told.contains("CARGO_MANIFEST_DIR"), "{told}");
        assert!(told.contains("PATH="), "{told}");
    }
}
