//! Reading a tar's entries: long names and extended headers, with bounds on all of it.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use tar::{Entry, EntryType, Header};

use crate::{Error, Refusal};

/// Extended headers hold names, times and attributes; a megabyte is far more than any real one.
const MAX_EXTENSION: u64 = 1 << 20;
const XATTR_PREFIX: &[u8] = b"SCHILY.xattr.";

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Symlink(PathBuf),
    HardLink(PathBuf),
    Fifo,
    Character(u32, u32),
    Block(u32, u32),
}

/// One entry's header, with the extensions before it worked in.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: i64,
    pub(super) xattrs: Vec<(OsString, Vec<u8>)>,
}

/// What extension entries say about the next entry.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    mtime: Option<i64>,
    xattrs: Vec<(OsString, Vec<u8>)>,
}

impl Extensions {
    /// Takes in an extension entry; `false` if the entry is a real one.
    pub(super) fn take_in<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<bool, Error> {
        match entry.header().entry_type() {
            EntryType::GNULongName => self.path = Some(trim_nul(&read_extension(entry)?)),
            EntryType::GNULongLink => self.link = Some(trim_nul(&read_extension(entry)?)),
            EntryType::XHeader => {
                let records = read_extension(entry)?;
                self.take_records(&records)
                    .ok_or_else(|| refused(entry, Refusal::BadHeader))?;
            }
            // Global headers carry comments such as a commit; nothing in them is about one file.
            EntryType::XGlobalHeader => {
                read_extension(entry)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The real entry these extensions came before.
    pub(super) fn finish<R: Read>(self, entry: &Entry<'_, R>) -> Result<Item, Error> {
        let header = entry.header();
        let path = self
            .path
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&path).into_owned();
        let refuse = |reason| Error::Refused {
            name: name.clone(),
            reason,
        };
        let link = self
            .link
            .or_else(|| header.link_name_bytes().map(|link| link.into_owned()));
        let kind = entry_kind(header, &path, link).map_err(refuse)?;
        let size = header
            .entry_size()
            .map_err(|_| refuse(Refusal::BadHeader))?;
        // The tar reader goes by the header's size. Only files beyond 8 GiB need another one here, and
        // an archive in which the two differ means different things to different programs.
        if self.size.is_some_and(|extended| extended != size) {
            return Err(refuse(Refusal::SizeMismatch));
        }
        let old = header.as_old();
        let id = |extended: Option<u64>, field: &[u8], plain: std::io::Result<u64>| {
            extended
                .or_else(|| unless_blank(field, plain))
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| refuse(Refusal::BadHeader))
        };
        let plain_mtime = || unless_blank(&old.mtime, header.mtime())?.try_into().ok();
        let mtime = self.mtime.or_else(plain_mtime);
        Ok(Item {
            kind,
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
        let part = |number: std::io::Result<Option<u32>>| number.ok().flatten();
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
fn unless_blank(field: &[u8], number: std::io::Result<u64>) -> Option<u64> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Some(0);
    }
    number.ok()
}

fn read_extension<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, Error> {
    let size = entry.size();
    if size > MAX_EXTENSION {
        return Err(refused(entry, Refusal::LongExtension));
    }
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(Error::io("read archive"))?;
    Ok(bytes)
}

fn refused<R: Read>(entry: &Entry<'_, R>, reason: Refusal) -> Error {
    Error::Refused {
        name: String::from_utf8_lossy(&entry.header().path_bytes()).into_owned(),
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
