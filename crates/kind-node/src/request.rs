//! The one request channel into a node.
//!
//! `kind-node request` reads from its stdin: the length of a JSON document as 4 bytes big-endian, the
//! document (a [`Request`]), then a tar stream of files that is unpacked at `/` first. It writes one
//! JSON [`Event`] a line to its stdout while it works, and ends with code 0, or 1 after
//! [`Event::Failed`].

use serde::{Deserialize, Serialize};

/// What to do once the files of the request are in place.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Request {
    /// Steps, one after the other; the first that fails ends the request.
    pub steps: Vec<Step>,
}

/// One thing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Step {
    /// Runs a program to its end; a code other than 0 fails the request.
    Run {
        /// Name for events, for example `kubeadm init`.
        name: String,
        /// Program and arguments.
        argv: Vec<String>,
        /// Text for its standard input.
        #[serde(default)]
        stdin: Option<String>,
    },
    /// Waits until a program ends with code 0, trying again every 100 ms.
    Wait {
        /// Name for events.
        name: String,
        /// Program and arguments.
        argv: Vec<String>,
        /// Milliseconds after which the request fails.
        timeout_ms: u64,
    },
    /// Waits until something listens on a unix socket.
    WaitSocket {
        /// The socket's path.
        path: String,
        /// Milliseconds after which the request fails.
        timeout_ms: u64,
    },
    /// Reads a text file into an [`Event::File`].
    Read {
        /// Its path.
        path: String,
    },
    /// Tells the caller that the steps before are done.
    Mark {
        /// Any word; comes back in [`Event::Marked`].
        name: String,
    },
    /// Runs several sequences at once and waits for all.
    Together {
        /// The sequences.
        sequences: Vec<Vec<Step>>,
    },
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "event")]
#[non_exhaustive]
pub enum Event {
    /// A step with a name began.
    Started {
        /// The step.
        name: String,
    },
    /// A step with a name ended well.
    Finished {
        /// The step.
        name: String,
        /// How long it took, in milliseconds.
        ms: u64,
        /// Everything the program printed, stdout and stderr together.
        output: String,
    },
    /// A step failed; the request ends.
    Failed {
        /// The step.
        name: String,
        /// Why, in one line.
        reason: String,
        /// Everything the program printed.
        output: String,
    },
    /// A file's text.
    File {
        /// Its path.
        path: String,
        /// Its text.
        text: String,
    },
    /// A [`Step::Mark`] was reached.
    Marked {
        /// Its name.
        name: String,
    },
}
