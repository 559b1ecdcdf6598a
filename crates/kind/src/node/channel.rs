//! The request channel: one exec into a node, answered by a stream of events.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use kind_engine::{Command, Engine, Io};
use kind_node::request::{Event, Request};

use crate::{CancelToken, Error, Result};

/// Where the agent stands in every node.
pub(crate) const AGENT: &str = "/kind/bin/kind-node";
/// How often the caller's wish to stop is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long a request may go on after its node was taken away.
const AFTERMATH: Duration = Duration::from_secs(10);

/// What a node answers.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Something happened.
    Event(Event),
    /// A line that is no event, from the agent's stderr or its runtime.
    Noise(String),
}

/// What became of a node whose request the caller does not want any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abandoned {
    /// It is gone, and its request with it.
    NodeTaken,
    /// It stays, and may go on with the request.
    NodeKept,
}

/// Sends a request, gives every reply to `listen`, and returns the agent's exit code.
///
/// When the caller asks to stop, `abandon` is called. It takes the node away, or says that the request
/// is left alone; then it is not waited for. An error of `listen` ends the listening, and is returned once the request ended.
pub(crate) fn send(
    engine: &Arc<dyn Engine>,
    node: &str,
    request: &Request,
    cancel: &CancelToken,
    abandon: impl FnOnce() -> Abandoned,
    mut listen: impl FnMut(Reply) -> Result<()>,
) -> Result<i32> {
    let (replies, received) = mpsc::channel();
    let running = run(engine, node, encode(request), replies);
    let mut verdict = Ok(());
    loop {
        match received.recv_timeout(TICK) {
            Ok(reply) if verdict.is_ok() => verdict = listen(reply),
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                if abandon() == Abandoned::NodeTaken {
                    while received.recv_timeout(AFTERMATH).is_ok() {}
                }
                return Err(Error::Cancelled);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    let code = running
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    verdict?;
    cancel.check()?;
    code.map_err(Error::engine(format!("failed to reach node {node:?}")))
}

type Running = std::thread::JoinHandle<std::result::Result<i32, kind_engine::Error>>;

/// Runs the agent in a thread of its own, which outlives a caller that does not want to wait.
fn run(
    engine: &Arc<dyn Engine>,
    node: &str,
    input: Vec<u8>,
    replies: mpsc::Sender<Reply>,
) -> Running {
    let (engine, node) = (Arc::clone(engine), node.to_owned());
    std::thread::spawn(move || {
        let mut stdin = io::Cursor::new(input);
        let events = replies.clone();
        let mut stdout = Lines::new(move |line: &str| {
            let reply = match serde_json::from_str(line) {
                Ok(event) => Reply::Event(event),
                Err(_) => Reply::Noise(line.to_owned()),
            };
            let _ = events.send(reply);
        });
        let mut stderr = Lines::new(move |line: &str| {
            let _ = replies.send(Reply::Noise(line.to_owned()));
        });
        let command = Command::new([AGENT, "request"]);
        let io = Io::new(Some(&mut stdin), &mut stdout, &mut stderr);
        let code = engine.exec(&node, &command, io);
        stdout.finish();
        stderr.finish();
        code
    })
}

/// The length of the request, the request, and an empty tar stream: files went in before the start.
fn encode(request: &Request) -> Vec<u8> {
    const END_OF_TAR: [u8; 1024] = [0; 1024];
    let document = serde_json::to_vec(request).expect("a request has nothing JSON cannot hold");
    let length = u32::try_from(document.len()).expect("a request is far below 4 GiB");
    [&length.to_be_bytes()[..], &document, &END_OF_TAR].concat()
}

/// A writer that hands on whole lines.
struct Lines<F: FnMut(&str)> {
    partial: Vec<u8>,
    line: F,
}

impl<F: FnMut(&str)> Lines<F> {
    fn new(line: F) -> Self {
        Self {
            partial: Vec::new(),
            line,
        }
    }

    /// Hands on what stands after the last line end.
    fn finish(&mut self) {
        if !self.partial.is_empty() {
            let rest = std::mem::take(&mut self.partial);
            (self.line)(&String::from_utf8_lossy(&rest));
        }
    }
}

impl<F: FnMut(&str)> Write for Lines<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            if let Some(line) = self.partial.strip_suffix(b"\n") {
                (self.line)(&String::from_utf8_lossy(line));
                self.partial.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let mut seen = Vec::new();
        let mut lines = Lines::new(|line: &str| seen.push(line.to_owned()));
        for part in ["a", "b\nc", "\n\nd"] {
            lines.write_all(part.as_bytes()).unwrap();
        }
        lines.finish();
        assert_eq!(seen, ["ab", "c", "", "d"]);
    }

    #[test]
    fn a_request_carries_its_length_and_an_empty_tar() {
        let bytes = encode(&Request::default());
        let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        serde_json::from_slice::<Request>(&bytes[4..4 + length]).unwrap();
        assert_eq!(bytes.len(), 4 + length + 1024);
    }
}
