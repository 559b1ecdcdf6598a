//! Writing an OCI layout as a tar stream.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use tar::{Builder, Header};

use crate::oci::Index;
use crate::{Digest, Error};

/// Where a layout has the content of a digest.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// A layout that is being written: every blob once, whatever has it.
pub(super) struct Layout<W: Write> {
    builder: Builder<Gate<W>>,
    written: BTreeSet<Digest>,
}

/// A way out that is closed once something has failed: half an entry must not be made a whole one, not even by zeros.
struct Gate<W> {
    out: W,
    is_closed: bool,
}

impl<W: Write> Write for Gate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Layout<W> {
    /// Begins with what says that this is a layout, and which images it has.
    pub(super) fn begin_layout(out: W, index: &Index) -> Result<Self, Error> {
        let mut layout = Self {
            builder: Builder::new(Gate {
                out,
                is_closed: false,
            }),
            written: BTreeSet::new(),
        };
        layout.write_file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let index = serde_json::to_vec(index).expect("an index is plain data");
        layout.write_file("index.json", &index)?;
        Ok(layout)
    }

    /// Whether a blob has to be written now; the next one who asks is told no.
    pub(super) fn wants_blob(&mut self, digest: &Digest) -> bool {
        self.written.insert(digest.clone())
    }

    pub(super) fn write_blob(
        &mut self,
        digest: &Digest,
        size: u64,
        content: impl Read,
    ) -> Result<(), Error> {
        self.write_entry(&blob_name(digest), size, content)
    }

    pub(super) fn write_file(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        self.write_entry(name, content.len() as u64, content)
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        let mut gate = self
            .builder
            .into_inner()
            .map_err(Error::io("write archive"))?;
        gate.flush().map_err(Error::io("write archive"))
    }

    fn write_entry(&mut self, name: &str, size: u64, content: impl Read) -> Result<(), Error> {
        let mut header = Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        let content = io::BufReader::with_capacity(1 << 18, content);
        let appended = self.builder.append_data(&mut header, name, content);
        if appended.is_err() {
            self.builder.get_mut().is_closed = true;
        }
        appended.map_err(Error::io("write archive"))
    }
}
