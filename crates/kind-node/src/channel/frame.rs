//! One request from its first byte to its last event.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use kind_node::request::{Request, StepId};

use super::attend::watch_request;
use super::programs::Programs;
use super::report::Report;
use super::steps::{Failed, Runner};
use super::watch::Watch;
use crate::unpack;

/// A document longer than this is not one: files travel in the tar stream.
const LONGEST_DOCUMENT: u32 = 64 * 1024 * 1024;

/// How long a failed request may take to say so once everything it ran is gone.
const FAILURE_REPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers the request on stdin. `--root DIRECTORY` puts its files somewhere else than at `/`.
pub(crate) fn serve_request(arguments: &[OsString]) -> ExitCode {
    let root = match arguments {
        [] => PathBuf::from("/"),
        [flag, root] if flag == "--root" => PathBuf::from(root),
        _ => {
            return crate::usage::exit_with_usage(
                "request takes no arguments but --root DIRECTORY",
            );
        }
    };
    match Watch::begin_watch().map(|watch| serve_at(root, watch)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Answers the request, or gives up when the caller does; tells whether all went well.
///
/// The answer has a thread of its own because it may be stuck in a read that nothing ends.
fn serve_at(root: PathBuf, watch: Watch) -> bool {
    let programs = Arc::new(Programs::default());
    let (answered, answer_came) = mpsc::channel();
    let (cleared, all_clear) = (answered.clone(), Arc::clone(&programs));
    let watched = Arc::clone(&programs);
    thread::spawn(move || {
        watch.wait_for_hangup(io::stdout());
        watched.end_programs();
    });
    thread::spawn(move || {
        all_clear.wait_for_end();
        all_clear.kill_stragglers();
        // Nobody receives it if the answer is complete.
        let _ = cleared.send(None);
    });
    thread::spawn(move || {
        let report = Arc::new(Report::new(io::stdout(), Arc::clone(&programs)));
        let attended = (Arc::clone(&programs), Arc::clone(&report));
        thread::spawn(move || watch_request(&attended.0, &attended.1));
        let result = answer_request(&root, &programs, &report);
        // Nobody receives it if the caller is gone.
        let _ = answered.send(Some(result.is_ok()));
    });
    let answer = match answer_came.recv() {
        Ok(None) => answer_came
            .recv_timeout(FAILURE_REPORT_TIMEOUT)
            .ok()
            .flatten(),
        other => other.ok().flatten(),
    };
    answer.unwrap_or(false)
}

fn answer_request(root: &Path, programs: &Programs, report: &Report) -> Result<(), Failed> {
    let failed = |id: StepId, name: &str, error: &dyn Error| {
        report.fail_step(id, name, error.to_string(), String::new());
        Failed
    };
    let mut stdin = io::stdin().lock();
    let request =
        read_document(&mut stdin).map_err(|error| failed(StepId::Request, "request", &error))?;
    unpack::unpack_tar(root, &mut stdin).map_err(|error| failed(StepId::Files, "files", &error))?;
    drop(stdin);
    // A tar stream may be padded; whoever writes it must not find a broken pipe.
    thread::spawn(|| drop(io::copy(&mut io::stdin(), &mut io::sink())));
    Runner { programs, report }.run_steps(&request.steps)
}

/// Reads the length and the document.
fn read_document(stream: &mut impl Read) -> io::Result<Request> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST_DOCUMENT {
        let problem = format!("a document of {length} bytes is too long");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    let mut document = Vec::new();
    stream
        .take(u64::from(length))
        .read_to_end(&mut document)
        .and_then(|size| {
            if size as u64 == u64::from(length) {
                Ok(())
            } else {
                Err(io::Error::from(io::ErrorKind::UnexpectedEof))
            }
        })?;
    Ok(serde_json::from_slice(&document)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(length: u32, document: &[u8]) -> Vec<u8> {
        [&length.to_be_bytes(), document].concat()
    }

    #[test]
    fn documents_are_read_and_broken_ones_refused() {
        let document = br#"{"steps":[{"mark":{"name":"x"}}]}"#;
        let length = document.len() as u32;
        let read = |bytes: Vec<u8>| read_document(&mut bytes.as_slice());
        assert_eq!(read(framed(length, document)).unwrap().steps.len(), 1);
        assert!(read(framed(length + 1, document)).is_err());
        assert!(read(framed(length - 1, document)).is_err());
        assert!(read(framed(u32::MAX, document)).is_err());
        assert!(read(vec![0, 0]).is_err());
    }
}
