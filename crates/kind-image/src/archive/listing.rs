//! The entries of a plain tar on disk, by their headers alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use tar::{EntryType, Header};

use crate::Error;
use crate::unpack::Extensions;

/// Bytes of a header, of which a multiple is everything in a tar.
const BLOCK: u64 = 512;

/// Goes through the headers of a tar; content is passed over, wherever its end would be.
pub(super) struct Listing<'a> {
    file: &'a File,
    length: u64,
    position: u64,
}

/// An entry, with what the extensions before it say.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) link: Option<String>,
    pub(super) kind: EntryType,
    /// Where its content begins.
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl<'a> Listing<'a> {
    pub(super) fn new(file: &'a File) -> Result<Self, Error> {
        let length = file.metadata().map_err(Error::io("read archive"))?.len();
        Ok(Self {
            file,
            length,
            position: 0,
        })
    }

    /// Bytes of the whole tar.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The next entry; `None` at the end.
    pub(super) fn next_entry(&mut self) -> Result<Option<Listed>, Error> {
        let mut extensions = Extensions::default();
        while let Some(header) = self.read_header().map_err(Error::io("read archive"))? {
            let size = header.entry_size().map_err(Error::io("read archive"))?;
            if !Extensions::are_in(header.entry_type()) {
                let listed = self.describe_entry(&header, &extensions, size);
                self.skip(listed.size);
                return Ok(Some(listed));
            }
            let mut bytes = vec![0; extensions.reserve_bytes(&header, size)?];
            let read = self.file.read_exact_at(&mut bytes, self.position);
            read.map_err(Error::io("read archive"))?;
            extensions.absorb_bytes(&header, &bytes)?;
            self.skip(size);
        }
        Ok(None)
    }

    fn describe_entry(&self, header: &Header, extensions: &Extensions, size: u64) -> Listed {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Listed {
            name: text(&extensions.path_of(header)),
            link: extensions.link_of(header).map(|link| text(&link)),
            kind: header.entry_type(),
            offset: self.position,
            // Files beyond 8 GiB have their size only here.
            size: extensions.size().unwrap_or(size),
        }
    }

    /// The header at the position, which is behind it then; `None` at the end.
    fn read_header(&mut self) -> io::Result<Option<Header>> {
        if self.position >= self.length {
            return Ok(None);
        }
        let mut header = Header::new_old();
        self.file
            .read_exact_at(header.as_mut_bytes(), self.position)?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        check_sum(&header)?;
        self.position += BLOCK;
        Ok(Some(header))
    }

    fn skip(&mut self, size: u64) {
        let blocks = size.div_ceil(BLOCK);
        self.position = self.position.saturating_add(blocks.saturating_mul(BLOCK));
    }
}

/// Whether a header is one: anything else that comes here is no tar.
fn check_sum(header: &Header) -> io::Result<()> {
    const FIELD: std::ops::Range<usize> = 148..156;
    let mut bytes = *header.as_bytes();
    // The sum is that of a header without one.
    bytes[FIELD].fill(b' ');
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    if header.cksum().is_ok_and(|told| told == sum) {
        return Ok(());
    }
    let text = "archive header checksum mismatch";
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}
