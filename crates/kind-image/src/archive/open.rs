//! Opening an archive, in whatever form it comes.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::Path;

use super::compression::Compression;
use super::content::{Blob, Content};
use crate::room::RoomWriter;
use crate::{Error, Refusal};

/// An image archive that can be looked into: docker's, or an OCI layout, as a tar or as a directory.
///
/// It is not trusted: its names are resolved inside it, its documents are bounded and its digests
/// checked.
#[derive(Debug)]
pub struct Archive {
    pub(super) content: Content,
}

/// What a compressed archive may unpack to.
const MAX_BYTES: u64 = 64 << 30;

impl Archive {
    /// Opens a file or a directory. A compressed file is unpacked into a nameless file in `spool`,
    /// which is gone with the archive.
    ///
    /// # Errors
    /// It cannot be read, or is no tar.
    pub fn open_file(path: &Path, spool: &Path) -> Result<Self, Error> {
        let metadata = std::fs::metadata(path).map_err(Error::path("read", path))?;
        if metadata.is_dir() {
            let content = Content::of_directory(path)?;
            return Ok(Self { content });
        }
        let file = File::open(path).map_err(Error::path("open", path))?;
        if !metadata.is_file() {
            return Self::receive_stream(file, spool);
        }
        let blob = Blob::whole(file, metadata.len());
        let magic = blob.magic().map_err(Error::path("read", path))?;
        match Compression::of_magic(magic)? {
            Compression::None => {
                let file = File::open(path).map_err(Error::path("open", path))?;
                let content = Content::of_tar(file)?;
                Ok(Self { content })
            }
            compression => Self::spool_stream(compression.decode(blob.reader()), spool),
        }
    }

    /// Takes an archive from a stream, compressed or not, into a nameless file in `spool`.
    ///
    /// # Errors
    /// It cannot be read or kept, or is no tar.
    pub fn receive_stream(mut stream: impl Read + Send, spool: &Path) -> Result<Self, Error> {
        let mut magic = Vec::new();
        (&mut stream)
            .take(4)
            .read_to_end(&mut magic)
            .map_err(Error::io("read archive"))?;
        let mut start = [0; 4];
        start[..magic.len()].copy_from_slice(&magic);
        let whole = Cursor::new(magic).chain(stream);
        Self::spool_stream(Compression::of_magic(start)?.decode(whole), spool)
    }

    fn spool_stream(stream: impl Read, spool: &Path) -> Result<Self, Error> {
        let mut file =
            tempfile::tempfile_in(spool).map_err(Error::path("make a file in", spool))?;
        let size = io::copy(&mut stream.take(MAX_BYTES), &mut RoomWriter::new(&file))
            .map_err(Error::path("unpack the archive into", spool))?;
        if size == MAX_BYTES {
            return Err(Error::Refused {
                name: "archive".to_owned(),
                reason: Refusal::TooLarge,
            });
        }
        file.rewind().map_err(Error::io("read archive"))?;
        let content = Content::of_tar(file)?;
        Ok(Self { content })
    }
}
