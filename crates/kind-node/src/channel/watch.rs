//! Whether anyone still waits for the answer.
//!
//! A caller that dies, or is interrupted, must not leave programs running in the node: the next
//! try would meet them.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Something that says when the caller is gone.
pub(super) struct Watch {
    signals: UnixStream,
}

impl Watch {
    /// Begins to listen for the signals that mean the end. From here on they do not end this
    /// program by themselves.
    pub(super) fn begin_watch() -> io::Result<Self> {
        let (signals, sender) = UnixStream::pair()?;
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self { signals })
    }

    /// Waits until a signal comes or the reader of `out` is gone.
    pub(super) fn wait_for_hangup(&self, out: impl AsFd) {
        let mut descriptors = [
            PollFd::new(&self.signals, PollFlags::IN),
            // Nothing is asked for: a lost reader is told in any case.
            PollFd::new(&out, PollFlags::empty()),
        ];
        while poll(&mut descriptors, None) == Err(rustix::io::Errno::INTR) {}
    }
}
