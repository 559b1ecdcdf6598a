//! Content that must be what its digest promises.

use std::io::{self, Read};

use crate::digest::DigestReader;
use crate::{Digest, Error};

/// Gives content whose digest is known, but for its end if that is another's: whoever reads it never gets the whole of
/// something else.
pub(super) struct Verified<'a, R> {
    /// `None` once it is read.
    inner: Option<DigestReader<R>>,
    left: u64,
    expected: &'a Digest,
    found: Option<Digest>,
}

impl<'a, R: Read> Verified<'a, R> {
    pub(super) fn new(inner: R, size: u64, expected: &'a Digest) -> Self {
        Self {
            inner: Some(DigestReader::new(inner)),
            left: size,
            expected,
            found: None,
        }
    }

    /// The failure of whoever read it; damage is told as such, and with the name of the content.
    pub(super) fn explain(&self, what: &str, error: Error) -> Error {
        match &self.found {
            Some(found) => Error::Mismatch {
                what: what.to_owned(),
                expected: self.expected.clone(),
                found: found.clone(),
            },
            None => error,
        }
    }
}

impl<R: Read> Read for Verified<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else {
            return Ok(0);
        };
        let count = inner.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        if self.left > 0 && count > 0 {
            return Ok(count);
        }
        let digest = self.inner.take().map(DigestReader::finish);
        match digest {
            Some((found, _)) if found != *self.expected => {
                self.found = Some(found);
                Err(io::Error::other("its digest is another"))
            }
            _ => Ok(count),
        }
    }
}
