//! Walking a directory in a fixed order and writing what is there.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use tar::{Builder, EntryType};

use super::header::{extended_attributes, file_header};
use crate::Error;

/// Writes everything below `root`, names relative to it, sorted; the form of an image layer.
pub fn contents(root: impl AsFd, out: impl Write) -> Result<(), Error> {
    let mut packer = TreePacker::new(out);
    let directory = open_entry(root.as_fd(), OsStr::new("."), OFlags::DIRECTORY)
        .map_err(Error::io("open directory to pack"))?;
    packer.pack_children(&directory, Path::new(""))?;
    packer.finish()
}

/// Writes what `path` names in `root` under its base name, a directory with all its content.
///
/// Links on the way are followed inside `root`; the last component is taken as it is.
pub fn path(root: impl AsFd, path: &Path, out: impl Write) -> Result<(), Error> {
    let fail = |error: Errno| Error::path("pack", path)(error);
    let name = path.file_name().ok_or(Errno::INVAL).map_err(fail)?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let parent = parent.unwrap_or(Path::new("."));
    let parent = rustix::fs::openat2(root, parent, flags, Mode::empty(), resolve).map_err(fail)?;
    let mut packer = TreePacker::new(out);
    packer.pack_entry(parent.as_fd(), name, Path::new(name))?;
    packer.finish()
}

struct TreePacker<W: Write> {
    builder: Builder<W>,
    /// First names of files that have several.
    links: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> TreePacker<W> {
    fn new(out: W) -> Self {
        Self {
            builder: Builder::new(out),
            links: HashMap::new(),
        }
    }

    fn finish(self) -> Result<(), Error> {
        let mut out = self
            .builder
            .into_inner()
            .map_err(Error::io("write archive"))?;
        out.flush().map_err(Error::io("write archive"))
    }

    fn pack_children(&mut self, directory: &OwnedFd, path: &Path) -> Result<(), Error> {
        let fail = |error: Errno| Error::path("read", path)(error);
        let mut names = Vec::new();
        for entry in Dir::read_from(directory).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        for name in names {
            self.pack_entry(directory.as_fd(), &name, &path.join(&name))?;
        }
        Ok(())
    }

    fn pack_entry(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        path: &Path,
    ) -> Result<(), Error> {
        let fail = |error: Errno| Error::path("read", path)(error);
        let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let directory = open_entry(parent, name, OFlags::DIRECTORY).map_err(fail)?;
                self.pack_directory(&directory, &stat, path)?;
                self.pack_children(&directory, path)
            }
            FileType::RegularFile => {
                if self.known_link(&stat, path)? {
                    return Ok(());
                }
                let file = open_entry(parent, name, OFlags::empty()).map_err(fail)?;
                self.pack_file(file, path)
            }
            FileType::Symlink => {
                let link = rustix::fs::readlinkat(parent, name, Vec::new()).map_err(fail)?;
                self.pack_link(&stat, path, OsStr::from_bytes(link.to_bytes()))
            }
            _ => self.plain(&stat, path),
        }
    }

    fn pack_directory(
        &mut self,
        directory: &OwnedFd,
        stat: &Stat,
        path: &Path,
    ) -> Result<(), Error> {
        self.pack_extensions(directory, path)?;
        // Tars name directories with a slash at the end.
        let mut name = path.as_os_str().to_owned();
        name.push("/");
        self.plain(stat, Path::new(&name))
    }

    fn pack_file(&mut self, file: OwnedFd, path: &Path) -> Result<(), Error> {
        // Asked again of the open file: it is this size that the content must have.
        let stat = rustix::fs::fstat(&file).map_err(Error::path("read", path))?;
        self.pack_extensions(&file, path)?;
        let Some(mut header) = file_header(&stat) else {
            return Ok(());
        };
        let content = Exact {
            left: header.size().unwrap_or(0),
            file: File::from(file),
        };
        self.builder
            .append_data(&mut header, path, content)
            .map_err(Error::path("pack", path))
    }

    /// Writes a file that was written under another name already as a link to that.
    fn known_link(&mut self, stat: &Stat, path: &Path) -> Result<bool, Error> {
        if stat.st_nlink < 2 {
            return Ok(false);
        }
        let known = self.links.get(&(stat.st_dev, stat.st_ino)).cloned();
        let Some(first) = known else {
            self.links
                .insert((stat.st_dev, stat.st_ino), path.to_owned());
            return Ok(false);
        };
        let Some(mut header) = file_header(stat) else {
            return Ok(false);
        };
        header.set_entry_type(EntryType::Link);
        header.set_size(0);
        self.builder
            .append_link(&mut header, path, &first)
            .map_err(Error::path("pack", path))?;
        Ok(true)
    }

    fn pack_link(&mut self, stat: &Stat, path: &Path, link: &OsStr) -> Result<(), Error> {
        let Some(mut header) = file_header(stat) else {
            return Ok(());
        };
        self.builder
            .append_link(&mut header, path, link)
            .map_err(Error::path("pack", path))
    }

    /// Writes an entry without content.
    fn plain(&mut self, stat: &Stat, path: &Path) -> Result<(), Error> {
        let Some(mut header) = file_header(stat) else {
            return Ok(());
        };
        self.builder
            .append_data(&mut header, path, io::empty())
            .map_err(Error::path("pack", path))
    }

    fn pack_extensions(&mut self, file: &OwnedFd, path: &Path) -> Result<(), Error> {
        let attributes =
            extended_attributes(file).map_err(Error::path("read attributes of", path))?;
        if attributes.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = attributes
            .iter()
            .map(|(name, value)| (format!("SCHILY.xattr.{name}"), value))
            .collect();
        let records = records
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()));
        self.builder
            .append_pax_extensions(records)
            .map_err(Error::path("pack", path))
    }
}

fn open_entry(parent: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    // Should a pipe have taken the file's place, opening it must not wait for a writer.
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Exactly the promised number of bytes: what a growing file gains is left out, what a shrinking one
/// lost becomes zeros.
struct Exact {
    file: File,
    left: u64,
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let mut count = self.file.read(&mut buffer[..wanted])?;
        if count == 0 {
            buffer[..wanted].fill(0);
            count = wanted;
        }
        self.left -= count as u64;
        Ok(count)
    }
}
