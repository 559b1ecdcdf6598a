//! Bytes on their way, counted.

use std::io::{self, Write};

use crate::CancelToken;

/// Passes bytes on, tells how many there were so far, and stops when the caller wants to.
pub(super) struct Counted<'a, W, T> {
    cancel: &'a CancelToken,
    writer: W,
    tell: T,
    done: u64,
}

impl<'a, W: Write, T: Fn(u64)> Counted<'a, W, T> {
    pub(super) fn new(cancel: &'a CancelToken, writer: W, tell: T) -> Self {
        Self {
            cancel,
            writer,
            tell,
            done: 0,
        }
    }

    /// How many bytes have passed.
    pub(super) fn done(&self) -> u64 {
        self.done
    }
}

impl<W: Write, T: Fn(u64)> Write for Counted<'_, W, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("interrupted"));
        }
        let count = self.writer.write(bytes)?;
        self.done += count as u64;
        (self.tell)(self.done);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn bytes_are_counted_until_the_caller_stops() {
        let (cancel, told) = (CancelToken::new(), Cell::new(0));
        let mut counted = Counted::new(&cancel, Vec::new(), |done| told.set(done));
        counted.write_all(b"abc").unwrap();
        counted.write_all(b"de").unwrap();
        assert_eq!((told.get(), counted.done()), (5, 5));
        cancel.cancel();
        assert_eq!(counted.write(b"f").unwrap_err().to_string(), "interrupted");
        assert_eq!(counted.writer, b"abcde");
    }
}
