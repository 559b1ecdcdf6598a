//! Where a helper process begins: its task is found and run, and its failure reported.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;

use super::call::{Call, FAILED, INTERNAL_COMMAND, Report, Task};
use super::helper::{exec, files, init, node_var, shared_image_store};
use super::monitor;
use super::state::State;
use crate::Error;

/// Runs the helper that the arguments of the process ask for and returns its exit code; `None` if they
/// ask for none. A program that uses the native engine calls this before anything else.
pub fn helper_main(arguments: &[OsString]) -> Option<i32> {
    let [_, word, call] = arguments else {
        return None;
    };
    if word != INTERNAL_COMMAND {
        return None;
    }
    let call = Call::read(call).ok()?;
    // Opened now: the path means nothing any more once the helper is in the node.
    let report = File::create(&call.report);
    match run_task(&call) {
        Ok(code) => Some(code),
        Err(error) => {
            if let Ok(file) = report {
                write_report(file, &error);
            }
            Some(FAILED)
        }
    }
}

fn run_task(call: &Call) -> Result<i32, Error> {
    let state = State::new(call.state.clone());
    match &call.task {
        Task::Monitor => monitor::monitor_node(&state, &call.node),
        Task::Init { console } => init::start_init(&state, &call.node, console),
        Task::Exec(request) => exec::exec_in_node(&state, &call.node, request),
        Task::Unpack { directory } => files::unpack_files(&state, &call.node, directory),
        Task::Pack { path } => files::pack_files(&state, &call.node, path),
        Task::FillVar => node_var::fill_var(&state, &call.node),
        Task::Prepare { directory, layers } => shared_image_store::unpack_images(directory, layers),
    }
}

fn write_report(mut file: File, error: &Error) {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    let report = Report {
        code: error.code(),
        message,
        remedy: error.remedy().unwrap_or_default(),
    };
    if let Ok(text) = serde_json::to_vec(&report) {
        // The caller still has the exit code if the report cannot be written.
        let _ = file.write_all(&text);
    }
}
