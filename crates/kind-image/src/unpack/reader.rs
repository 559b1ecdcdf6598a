//! Reading a tar's entries: long names and extended headers, with bounds on all of it.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use tar::{Entry, EntryType, Header};

use crate::{Error, Refusal};

/// Extended headers hold names, times and attributes; a megabyte is far more than any real one, and than all of those
/// together that come before one entry.
const MAX_EXTENSION: u64 = 1 << 20;
const XATTR_PREFIX: &[u8] = b"SCHILY.xattr.";

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, and its text.
    Symlink(PathBuf),
    /// Another name of the file that has this one.
    HardLink(PathBuf),
    /// A named pipe.
    Fifo,
    /// A character device.
    Character(u32, u32),
    /// A block device.
    Block(u32, u32),
}

/// One entry's header, with the extensions before it worked in.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its name as it is: it may lead anywhere.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Bytes of content.
    pub size: u64,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: i64,
    pub(super) xattrs: Vec<(OsString, Vec<u8>)>,
}

/// Gives every entry of a tar stream to `visit` with its content. However large names and attributes are, little of them
/// is kept; entries of other types than [`Kind`] has are refused. The stream is read up to the archive's end mark.
///
/// # Errors
/// The stream breaks a rule, or what `visit` gives.
pub fn each_entry<E: From<Error>>(
    tar: impl Read,
    mut visit: impl FnMut(&Item, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = tar::Archive::new(tar);
    let mut extensions = Extensions::default();
    let entries = archive.entries().map_err(Error::io("read archive"))?;
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(Error::io("read archive"))?;
        if !extensions.take_in(&mut entry)? {
            let item = std::mem::take(&mut extensions).finish(&entry)?;
            visit(&item, &mut entry)?;
        }
    }
    Ok(())
}

/// Reads what follows the end mark of an archive: writers fill up to a block of some kilobytes, and would fail if nobody
/// read that. A stream that goes on for ever is left.
///
/// # Errors
/// The stream's.
pub fn drain_padding(stream: &mut impl Read) -> io::Result<()> {
    io::copy(&mut stream.take(MAX_PADDING), &mut io::sink()).map(drop)
}

const MAX_PADDING: u64 = 16 << 20;

/// What extension entries say about the next entry.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    mtime: Option<i64>,
    xattrs: Vec<(OsString, Vec<u8>)>,
    /// Bytes of them all.
    read: u64,
}

impl Extensions {
    /// Whether an entry of this type is an extension of the next one.
    pub(crate) fn are_in(kind: EntryType) -> bool {
        matches!(
            kind,
            EntryType::GNULongName
                | EntryType::GNULongLink
                | EntryType::XHeader
                | EntryType::XGlobalHeader
        )
    }

    /// Takes in an extension entry; `false` if the entry is a real one.
    pub(super) fn take_in<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<bool, Error> {
        if !Self::are_in(entry.header().entry_type()) {
            return Ok(false);
        }
        let header = entry.header().clone();
        let mut bytes = Vec::with_capacity(self.reserve_bytes(&header, entry.size())?);
        entry
            .read_to_end(&mut bytes)
            .map_err(Error::io("read archive"))?;
        self.absorb_bytes(&header, &bytes)?;
        Ok(true)
    }

    /// How many bytes of an extension may be read: however many come before an entry, they are no larger than one may be.
    pub(crate) fn reserve_bytes(&mut self, header: &Header, size: u64) -> Result<usize, Error> {
        self.read = self.read.saturating_add(size);
        if self.read > MAX_EXTENSION {
            return Err(refused(header, Refusal::LongExtension));
        }
        Ok(usize::try_from(size).unwrap_or_default())
    }

    /// Takes in what an extension entry holds.
    pub(crate) fn absorb_bytes(&mut self, header: &Header, bytes: &[u8]) -> Result<(), Error> {
        match header.entry_type() {
            EntryType::GNULongName => self.path = Some(trim_nul(bytes)),
            EntryType::GNULongLink => self.link = Some(trim_nul(bytes)),
            EntryType::XHeader => self
                .take_records(bytes)
                .ok_or_else(|| refused(header, Refusal::BadHeader))?,
            // Global headers carry comments such as a commit; nothing in them is about one file.
            _ => {}
        }
        Ok(())
    }

    /// The name of the entry that has this header.
    pub(crate) fn path_of(&self, header: &Header) -> Vec<u8> {
        let long = self.path.clone();
        long.unwrap_or_else(|| header.path_bytes().into_owned())
    }

    /// Where the entry that has this header leads.
    pub(crate) fn link_of(&self, header: &Header) -> Option<Vec<u8>> {
        let short = || header.link_name_bytes().map(|link| link.into_owned());
        self.link.clone().or_else(short)
    }

    /// The size of the next entry, where its header has no room for it.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The real entry these extensions came before.
    pub(super) fn finish<R: Read>(self, entry: &Entry<'_, R>) -> Result<Item, Error> {
        let header = entry.header();
        let path = self.path_of(header);
        let name = String::from_utf8_lossy(&path).into_owned();
        let refuse = |reason| Error::Refused {
            name: name.clone(),
            reason,
        };
        let kind = entry_kind(header, &path, self.link_of(header)).map_err(refuse)?;
        let size = header
            .entry_size()
            .map_err(|_| refuse(Refusal::BadHeader))?;
        // The tar reader goes by the header's size. Only files beyond 8 GiB need another one here, and
        // an archive in which the two differ means different things to different programs.
        if self.size.is_some_and(|extended| extended != size) {
            return Err(refuse(Refusal::SizeMismatch));
        }
        let old = header.as_old();
        let id = |extended: Option<u64>, field: &[u8], plain: io::Result<u64>| {
            extended
                .or_else(|| unless_blank(field, plain))
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| refuse(Refusal::BadHeader))
        };
        let plain_mtime = || unless_blank(&old.mtime, header.mtime())?.try_into().ok();
        let mtime = self.mtime.or_else(plain_mtime);
        Ok(Item {
            kind,
            size,
            mode: header.mode().map_err(|_| refuse(Refusal::BadHeader))? & 0o7777,
            uid: id(self.uid, &old.uid, header.uid())?,
            gid: id(self.gid, &old.gid, header.gid())?,
            mtime: mtime.ok_or_else(|| refuse(Refusal::BadHeader))?,
            xattrs: self.xattrs,
            path: PathBuf::from(OsString::from_vec(path)),
        })
    }

    /// Records are `<length> <key>=<value>\n`; values may hold any byte, so only the length counts.
    fn take_records(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() {
            let space = records.iter().position(|&b| b == b' ')?;
            let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
            let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|&b| b == b'=')?;
            self.take_record(&record[..equals], &record[equals + 1..])?;
            records = &records[length..];
        }
        Some(())
    }

    fn take_record(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(parse_decimal(value)?),
            b"uid" => self.uid = Some(parse_decimal(value)?),
            b"gid" => self.gid = Some(parse_decimal(value)?),
            b"mtime" => self.mtime = Some(parse_seconds(value)?),
            _ => {
                if let Some(name) = key.strip_prefix(XATTR_PREFIX) {
                    self.xattrs
                        .push((OsString::from_vec(name.to_vec()), value.to_vec()));
                }
            }
        }
        Some(())
    }
}

fn entry_kind(header: &Header, path: &[u8], link: Option<Vec<u8>>) -> Result<Kind, Refusal> {
    let device = || {
        let part = |number: io::Result<Option<u32>>| number.ok().flatten();
        part(header.device_major())
            .zip(part(header.device_minor()))
            .ok_or(Refusal::BadHeader)
    };
    let link = || {
        let link = link
            .filter(|link| !link.is_empty())
            .ok_or(Refusal::BadLink)?;
        Ok(PathBuf::from(OsString::from_vec(link)))
    };
    Ok(match header.entry_type() {
        // Tars from before 1988 have no directory type.
        EntryType::Regular if path.ends_with(b"/") => Kind::Directory,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Symlink(link()?),
        EntryType::Link => Kind::HardLink(link()?),
        EntryType::Fifo => Kind::Fifo,
        EntryType::Char => device().map(|(major, minor)| Kind::Character(major, minor))?,
        EntryType::Block => device().map(|(major, minor)| Kind::Block(major, minor))?,
        _ => return Err(Refusal::UnsupportedType),
    })
}

/// A header's number; one that was left blank is 0, as every other reader has it.
fn unless_blank(field: &[u8], number: io::Result<u64>) -> Option<u64> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Some(0);
    }
    number.ok()
}

fn refused(header: &Header, reason: Refusal) -> Error {
    Error::Refused {
        name: String::from_utf8_lossy(&header.path_bytes()).into_owned(),
        reason,
    }
}

/// Names in extension entries end with a NUL byte.
fn trim_nul(bytes: &[u8]) -> Vec<u8> {
    bytes.strip_suffix(b"\0").unwrap_or(bytes).to_vec()
}

fn parse_decimal(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Whole seconds of a time that may have a fraction.
fn parse_seconds(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    text.split('.').next()?.parse().ok()
}
