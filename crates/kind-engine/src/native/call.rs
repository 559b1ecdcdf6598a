//! What goes from a process to the next one: the calling program is executed again for what needs a
//! single-threaded process of its own.
//!
//! `PROGRAM __native CALL` with a [`Call`] as JSON. Failures come back through a file, because a helper's
//! standard streams belong to what it runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

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
        let call = serde_json::to_string(&call).map_err(|source| Error::Record {
            path: report.clone(),
            source,
        })?;
        let mut command = Command::new(program);
        command.arg(INTERNAL_COMMAND).arg(call);
        Ok(Self { command, report })
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
