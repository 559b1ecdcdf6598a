//! Streams without secrets.

use std::io::{self, Write};

use crate::redact::LineRedactor;

/// A line that is longer is taken in parts.
const LONGEST_LINE: usize = 1 << 20;

/// A writer that hands on what is written without what [`crate::redact_text`] takes out, line by line. Bytes that are
/// no text stay as they are. [`RedactingWriter::finish`] hands on what stands after the last line end.
#[derive(Debug)]
pub struct RedactingWriter<W: Write> {
    inner: W,
    partial: Vec<u8>,
    redactor: LineRedactor,
}

impl<W: Write> RedactingWriter<W> {
    /// A writer before another one.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            partial: Vec::new(),
            redactor: LineRedactor::default(),
        }
    }

    /// Hands on what is left.
    ///
    /// # Errors
    /// Those of the writer behind.
    pub fn finish(mut self) -> io::Result<W> {
        let mut rest = Vec::new();
        self.redact_partial(&mut rest);
        self.inner.write_all(&rest)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn redact_partial(&mut self, redacted: &mut Vec<u8>) {
        for chunk in self.partial.utf8_chunks() {
            let text = self.redactor.redact_line(chunk.valid(), |_| Vec::new());
            redacted.extend_from_slice(text.as_bytes());
            redacted.extend_from_slice(chunk.invalid());
        }
        self.partial.clear();
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut redacted = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") || self.partial.len() >= LONGEST_LINE {
                self.redact_partial(&mut redacted);
            }
        }
        self.inner.write_all(&redacted)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_redacted_however_they_arrive() {
        let mut writer = RedactingWriter::new(Vec::new());
        for part in [
            &b"a http://me:pass"[..],
            b"word@host\nb\xff",
            b"\n-----BEGIN PRIVATE KEY-----\nM",
            b"II\nx",
        ] {
            writer.write_all(part).unwrap();
        }
        let written = writer.finish().unwrap();
        let expected =
            b"a http://<redacted>@host\nb\xff\n-----BEGIN PRIVATE KEY-----\n<redacted>\n<redacted>";
        assert_eq!(written, expected);
    }
}
