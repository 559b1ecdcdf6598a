//! The request channel: one exec into each node, answered by a stream of events.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use kind_engine::{Command, Engine, Io};
use kind_node::request::{Event, Request};

use super::tree::{File, pack_files};
use crate::{CancelToken, Code, Error, Result};

/// Where the node agent, `kind-node`, stands in every node.
pub(crate) const NODE_AGENT: &str = "/kind/bin/kind-node";
/// How often the caller's wish to stop is looked at.
const CANCEL_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long requests may go on after their nodes were taken away.
const ABANDONED_REQUESTS_TIMEOUT: Duration = Duration::from_secs(10);

/// Replies that wait to be heard; a node that tells more waits too.
const WAITING_REPLIES: usize = 16;
/// A line of a node that is longer is taken in parts.
const LONGEST_LINE: usize = 1 << 20;

/// What a node answers.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Something happened.
    Event(Event),
    /// A line that is no event, from the agent's stderr or its runtime.
    Noise(String),
    /// The request has ended with the agent's exit code.
    Ended(i32),
}

/// What became of nodes whose requests the caller does not want any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abandoned {
    /// They are gone, and their requests with them.
    NodesTaken,
    /// They stay, and may go on with their requests.
    NodesKept,
}

/// Requests that run in several nodes at once.
pub(crate) struct Requests {
    engine: Arc<dyn Engine>,
    replies: mpsc::SyncSender<(String, Answer)>,
    received: mpsc::Receiver<(String, Answer)>,
    running: usize,
}

/// A reply, or the engine's failure to carry the request.
type Answer = std::result::Result<Reply, kind_engine::Error>;

impl Requests {
    /// No requests yet.
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        let (replies, received) = mpsc::sync_channel(WAITING_REPLIES);
        Self {
            engine,
            replies,
            received,
            running: 0,
        }
    }

    /// Sends a node a request and files for it, which runs beside those that run already.
    pub(crate) fn begin_request(&mut self, node: &str, request: &Request, files: &[File]) {
        self.running += 1;
        let (node, replies) = (node.to_owned(), self.replies.clone());
        run_agent(&self.engine, node, encode_request(request, files), replies);
    }

    /// Gives every reply with the name of its node to `listen` until all requests have ended; `listen`
    /// may begin more of them.
    ///
    /// When the caller asks to stop, `abandon` is called. It takes the nodes away, or says that the
    /// requests are left alone; then they are not waited for.
    ///
    /// # Errors
    /// The first one of `listen`, or of the engine. The request that it came from has ended by then;
    /// the others go on until their nodes are removed.
    pub(crate) fn handle_replies(
        &mut self,
        cancel: &CancelToken,
        abandon: impl FnOnce() -> Abandoned,
        mut listen: impl FnMut(&mut Self, &str, Reply) -> Result<()>,
    ) -> Result<()> {
        let mut verdict: Option<(String, Error)> = None;
        while self.running > 0 {
            let (node, answer) = match self.received.recv_timeout(CANCEL_POLL_INTERVAL) {
                Ok(received) => received,
                Err(_) if cancel.is_cancelled() => {
                    if abandon() == Abandoned::NodesTaken {
                        self.await_end();
                    }
                    return Err(Error::Cancelled);
                }
                Err(_) => continue,
            };
            let ended = matches!(&answer, Ok(Reply::Ended(_)) | Err(_));
            self.running -= usize::from(ended);
            match &verdict {
                Some((culprit, _)) if ended && *culprit == node => break,
                Some(_) => continue,
                None => {}
            }
            let action = || format!("failed to reach node {node:?}");
            let heard = answer
                .map_err(|error| Error::engine(Code::NodeReach, action())(error))
                .and_then(|reply| listen(self, &node, reply));
            if let Err(error) = heard {
                verdict = Some((node, error));
                if ended {
                    break;
                }
            }
        }
        cancel.check()?;
        verdict.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn await_end(&mut self) {
        while self.running > 0 {
            match self.received.recv_timeout(ABANDONED_REQUESTS_TIMEOUT) {
                Ok((_, Ok(Reply::Ended(_)) | Err(_))) => self.running -= 1,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Runs the agent in a thread of its own, which outlives a caller that does not want to wait.
fn run_agent(
    engine: &Arc<dyn Engine>,
    node: String,
    input: Vec<u8>,
    replies: mpsc::SyncSender<(String, Answer)>,
) {
    let engine = Arc::clone(engine);
    std::thread::spawn(move || {
        let _context = tracing::debug_span!("request", node).entered();
        // Nobody hears it if the caller does not want to wait.
        let tell = |answer| drop(replies.send((node.clone(), answer)));
        let mut stdin = io::Cursor::new(input);
        let (events, noise) = (replies.clone(), replies.clone());
        let name = node.clone();
        let mut stdout = Lines::new(move |line: &str| {
            let reply = match serde_json::from_str(line) {
                Ok(event) => Reply::Event(event),
                Err(_) => Reply::Noise(line.to_owned()),
            };
            let _ = events.send((name.clone(), Ok(reply)));
        });
        let name = node.clone();
        let mut stderr = Lines::new(move |line: &str| {
            let _ = noise.send((name.clone(), Ok(Reply::Noise(line.to_owned()))));
        });
        let command = Command::new([NODE_AGENT, "request"]);
        let io = Io::new(Some(&mut stdin), &mut stdout, &mut stderr);
        let code = engine.exec(&node, &command, io);
        stdout.finish();
        stderr.finish();
        tell(code.map(Reply::Ended));
    });
}

/// The length of the request, the request, and its files as a tar stream.
fn encode_request(request: &Request, files: &[File]) -> Vec<u8> {
    let tar = pack_files(files).expect("nothing fails to be written into memory");
    let document = serde_json::to_vec(request).expect("a request has nothing JSON cannot hold");
    let length = u32::try_from(document.len()).expect("a request is far below 4 GiB");
    [&length.to_be_bytes()[..], &document, &tar].concat()
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
            } else if self.partial.len() >= LONGEST_LINE {
                self.finish();
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
    fn a_line_without_an_end_is_taken_in_parts() {
        let mut longest = 0;
        let mut lines = Lines::new(|line: &str| longest = longest.max(line.len()));
        for _ in 0..40 {
            lines.write_all(&[b'x'; 1 << 16]).unwrap();
        }
        lines.finish();
        assert_eq!(longest, LONGEST_LINE);
    }

    #[test]
    fn a_request_carries_its_length_and_an_empty_tar() {
        let bytes = encode_request(&Request::default(), &[]);
        let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        serde_json::from_slice::<Request>(&bytes[4..4 + length]).unwrap();
        assert_eq!(bytes.len(), 4 + length + 1024);
    }
}
