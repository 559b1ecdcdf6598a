//! The files of an archive by their names, without unpacking it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use tar::EntryType;

use super::listing::{Listed, Listing};
use crate::{Error, Refusal, unpack};

/// Links of an archive that are followed for one name.
const MAX_LINKS: usize = 16;
/// Real archives have a few hundred entries.
const MAX_ENTRIES: usize = 100_000;
/// Bytes of all their names.
const MAX_NAMES: usize = 8 << 20;

/// Where the files of an archive are.
#[derive(Debug)]
pub(super) enum Content {
    /// A plain tar on disk.
    Tar {
        file: Arc<File>,
        entries: HashMap<String, Entry>,
    },
    /// A directory; names are resolved inside it.
    Directory(OwnedFd),
}

/// An entry of a tar that stands for content.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    File { offset: u64, size: u64 },
    Link(String),
}

/// Bytes of an archive, which can be read any number of times.
#[derive(Debug, Clone)]
pub struct Blob {
    file: Arc<File>,
    offset: u64,
    size: u64,
}

/// Reads a [`Blob`] from its beginning.
#[derive(Debug)]
pub struct BlobReader {
    blob: Blob,
    read: u64,
}

impl Content {
    /// The content of a plain tar.
    pub(super) fn of_tar(file: File) -> Result<Self, Error> {
        let mut listing = Listing::new(&file)?;
        let length = listing.length();
        let mut entries = HashMap::new();
        let (mut seen, mut held) = (0, 0);
        while let Some(listed) = listing.next_entry()? {
            seen += 1;
            if let Some(found) = Entry::of_listed(&listed)? {
                let name = &listed.name;
                if matches!(found, Entry::File { offset, size } if length < offset.saturating_add(size))
                {
                    return Err(Error::NotAnImage(format!(
                        "it ends in the middle of {name}"
                    )));
                }
                held += name.len() + listed.link.as_ref().map_or(0, String::len);
                entries.insert(normalize_name(Path::new(name)), found);
            }
            if seen > MAX_ENTRIES || held > MAX_NAMES {
                return Err(Error::Refused {
                    name: listed.name,
                    reason: Refusal::TooManyEntries,
                });
            }
        }
        let file = Arc::new(file);
        Ok(Self::Tar { file, entries })
    }

    /// The content of a directory.
    pub(super) fn of_directory(path: &Path) -> Result<Self, Error> {
        unpack::open_root(path).map(Self::Directory)
    }

    /// The file of that name, through links of the archive. Nothing outside is ever reached.
    pub(super) fn open_blob(&self, name: &str) -> Result<Blob, Error> {
        self.find_blob(name)
            .map_err(Error::io(format!("open {name} of the archive")))
    }

    fn find_blob(&self, name: &str) -> io::Result<Blob> {
        match self {
            Self::Directory(root) => {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
                let file = rustix::fs::openat2(root, name, flags, Mode::empty(), resolve)?;
                let file = File::from(file);
                let metadata = file.metadata()?;
                if !metadata.is_file() {
                    return Err(io::ErrorKind::NotFound.into());
                }
                Ok(Blob::whole(file, metadata.len()))
            }
            Self::Tar { file, entries } => {
                let mut name = normalize_name(Path::new(name));
                for _ in 0..MAX_LINKS {
                    match entries.get(&name) {
                        Some(Entry::Link(target)) => name.clone_from(target),
                        Some(Entry::File { offset, size }) => {
                            return Ok(Blob {
                                file: Arc::clone(file),
                                offset: *offset,
                                size: *size,
                            });
                        }
                        None => break,
                    }
                }
                Err(io::ErrorKind::NotFound.into())
            }
        }
    }
}

impl Entry {
    /// What an entry of a tar is; `None` for what holds no content.
    fn of_listed(listed: &Listed) -> Result<Option<Self>, Error> {
        let link = listed.link.as_ref().map(Path::new);
        Ok(match listed.kind {
            EntryType::Regular | EntryType::Continuous => Some(Self::File {
                offset: listed.offset,
                size: listed.size,
            }),
            EntryType::Link => link.map(|target| Self::Link(normalize_name(target))),
            EntryType::Symlink => link.map(|target| {
                let beside = Path::new(&listed.name).parent().unwrap_or(Path::new(""));
                Self::Link(normalize_name(&beside.join(target)))
            }),
            EntryType::GNUSparse => {
                return Err(Error::Refused {
                    name: listed.name.clone(),
                    reason: Refusal::UnsupportedType,
                });
            }
            _ => None,
        })
    }
}

/// A name as the archive's root has it: `..` leads no further than there.
fn normalize_name(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::ParentDir => drop(parts.pop()),
            Component::RootDir => parts.clear(),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

impl Blob {
    pub(super) fn whole(file: File, size: u64) -> Self {
        Self {
            file: Arc::new(file),
            offset: 0,
            size,
        }
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads them from the beginning.
    pub fn reader(&self) -> BlobReader {
        BlobReader {
            blob: self.clone(),
            read: 0,
        }
    }

    /// The first bytes, by which formats are told apart.
    pub(super) fn magic(&self) -> io::Result<[u8; 4]> {
        let mut magic = [0; 4];
        let mut filled = 0;
        let mut reader = self.reader();
        while filled < magic.len() {
            match reader.read(&mut magic[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(magic)
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.blob.size - self.read;
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        let position = self.blob.offset + self.read;
        let count = self.blob.file.read_at(&mut buffer[..most], position)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lead_out() {
        for (name, expected) in [
            ("./a/b", "a/b"),
            ("/a", "a"),
            ("../../etc/passwd", "etc/passwd"),
            ("a/../b", "b"),
            ("", ""),
        ] {
            assert_eq!(normalize_name(Path::new(name)), expected, "{name}");
        }
    }
}
