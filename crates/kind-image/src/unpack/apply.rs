//! Making a tar's entries real.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use tar::Entry;

use super::options::{Existing, Options, Ownership, Whiteouts};
use super::reader::{Extensions, Item, Kind};
use super::target::{Place, Target, is_directory};
use crate::{Error, Refusal};

const OPAQUE_MARK: &str = ".wh..wh..opq";
const WHITEOUT_PREFIX: &[u8] = b".wh.";
const WHITEOUT_META_PREFIX: &[u8] = b".wh..wh.";

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Entries made.
    pub entries: u64,
    /// Bytes of file content.
    pub bytes: u64,
}

/// Unpacks a tar stream into the directory `root`, or below [`Options::directory`] in it.
///
/// Nothing outside of `root` is read, made or changed, whatever the archive or the target hold.
/// Names may begin with `/`, which then means `root`; `..` is refused. The stream is read up to the
/// archive's end mark, not further.
pub fn into(root: impl AsFd, tar: impl Read, options: &Options) -> Result<Summary, Error> {
    let target =
        Target::new(root.as_fd(), &options.directory).map_err(|reason| Error::Refused {
            name: options.directory.display().to_string(),
            reason,
        })?;
    let mut unpacking = Unpacking {
        target,
        options,
        summary: Summary::default(),
        directories: Vec::new(),
    };
    let mut archive = tar::Archive::new(tar);
    let mut extensions = Extensions::default();
    for entry in archive
        .entries()
        .map_err(Error::io("read archive"))?
        .raw(true)
    {
        let mut entry = entry.map_err(Error::io("read archive"))?;
        unpacking.count(&entry)?;
        if !extensions.take_in(&mut entry)? {
            let item = std::mem::take(&mut extensions).finish(&entry)?;
            unpacking.apply(&item, &mut entry)?;
        }
    }
    unpacking.finish_directories();
    Ok(unpacking.summary)
}

/// Why an entry could not be made.
enum Failure {
    Refused(Refusal),
    System(io::Error),
}

impl From<Refusal> for Failure {
    fn from(reason: Refusal) -> Self {
        Self::Refused(reason)
    }
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

struct Unpacking<'a> {
    target: Target<'a>,
    options: &'a Options,
    summary: Summary,
    /// Directories whose times are set last, as making files in them changes those.
    directories: Vec<(PathBuf, i64)>,
}

impl Unpacking<'_> {
    fn count<R: Read>(&mut self, entry: &Entry<'_, R>) -> Result<(), Error> {
        self.summary.entries += 1;
        let refuse = |reason| Error::Refused {
            name: String::from_utf8_lossy(&entry.header().path_bytes()).into_owned(),
            reason,
        };
        if self.summary.entries > self.options.max_entries {
            return Err(refuse(Refusal::TooManyEntries));
        }
        self.summary.bytes = self.summary.bytes.saturating_add(entry.size());
        if self.summary.bytes > self.options.max_bytes {
            return Err(refuse(Refusal::TooLarge));
        }
        Ok(())
    }

    fn apply(&mut self, item: &Item, content: &mut dyn Read) -> Result<(), Error> {
        self.make(item, content).map_err(|failure| match failure {
            Failure::Refused(reason) => Error::Refused {
                name: item.path.display().to_string(),
                reason,
            },
            Failure::System(source) => Error::Io {
                action: format!("unpack {}", item.path.display()),
                source,
            },
        })
    }

    fn make(&mut self, item: &Item, content: &mut dyn Read) -> Result<(), Failure> {
        let path = self.target.path(&item.path)?;
        if path.as_os_str().is_empty() {
            // The target itself: it exists, and what it looks like is its owner's business.
            return match item.kind {
                Kind::Directory => Ok(()),
                _ => Err(Refusal::EmptyName.into()),
            };
        }
        if self.options.whiteouts == Whiteouts::Overlay && self.make_whiteout(&path)? {
            return Ok(());
        }
        let place = self.target.place(&path)?;
        match &item.kind {
            Kind::Directory => return self.make_directory(&path, &place, item),
            Kind::File => return self.make_file(&place, item, content),
            _ => self.make_room(&place)?,
        }
        match &item.kind {
            Kind::HardLink(link) => return self.make_hard_link(&place, link),
            Kind::Symlink(link) => rustix::fs::symlinkat(link, &place.parent, &place.name)?,
            Kind::Fifo => make_node(&place, FileType::Fifo, 0)?,
            Kind::Character(major, minor) => {
                self.make_device(&place, FileType::CharacterDevice, *major, *minor)?;
            }
            Kind::Block(major, minor) => {
                self.make_device(&place, FileType::BlockDevice, *major, *minor)?;
            }
            Kind::Directory | Kind::File => {}
        }
        self.set_attributes(&place, item)
    }

    /// Makes the overlayfs form of a whiteout; `false` if the path is none.
    fn make_whiteout(&self, path: &Path) -> Result<bool, Failure> {
        let name = path.file_name().unwrap_or_default();
        let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT_PREFIX) else {
            return Ok(false);
        };
        let place = self.target.place(path)?;
        if name == OPAQUE_MARK {
            let directory = open_directory(&place.parent, OsStr::new("."))?;
            rustix::fs::fsetxattr(
                &directory,
                "trusted.overlay.opaque",
                b"y",
                XattrFlags::empty(),
            )?;
            return Ok(true);
        }
        // Other names of this form are notes of aufs.
        if name.as_bytes().starts_with(WHITEOUT_META_PREFIX) {
            return Ok(true);
        }
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(Refusal::EmptyName.into());
        }
        let place = Place {
            name: OsStr::from_bytes(hidden).to_owned(),
            ..place
        };
        place.clear()?;
        make_node(&place, FileType::CharacterDevice, 0)?;
        Ok(true)
    }

    fn make_directory(&mut self, path: &Path, place: &Place, item: &Item) -> Result<(), Failure> {
        match place.stat()? {
            Some(stat) if is_directory(&stat) => {
                if self.options.existing == Existing::Keep {
                    return Ok(());
                }
            }
            Some(_)
                if self.options.existing == Existing::Keep && self.target.is_directory(path) =>
            {
                return Ok(());
            }
            found => {
                if found.is_some() {
                    place.clear()?;
                }
                rustix::fs::mkdirat(&place.parent, &place.name, Mode::from_raw_mode(0o700))?;
            }
        }
        self.directories.push((path.to_owned(), item.mtime));
        self.set_open_attributes(&open_directory(&place.parent, &place.name)?, item)
    }

    fn make_file(&self, place: &Place, item: &Item, content: &mut dyn Read) -> Result<(), Failure> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let flags = match self.make_room(place) {
            // A file that is a mount point, such as /etc/hosts in a node, can only be written over.
            Err(Failure::System(error))
                if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) =>
            {
                flags | OFlags::TRUNC
            }
            other => {
                other?;
                flags | OFlags::CREATE | OFlags::EXCL
            }
        };
        let file = rustix::fs::openat(
            &place.parent,
            &place.name,
            flags,
            Mode::from_raw_mode(0o600),
        )?;
        let mut file = File::from(file);
        io::copy(content, &mut file)?;
        self.set_open_attributes(&OwnedFd::from(file), item)
    }

    fn make_hard_link(&self, place: &Place, link: &Path) -> Result<(), Failure> {
        let path = self.target.path(link)?;
        let bad = |_: Errno| Failure::from(Refusal::BadLink);
        let target = self.target.link_target(&path).map_err(bad)?;
        match target.stat()? {
            Some(stat) if !is_directory(&stat) => {}
            _ => return Err(Refusal::BadLink.into()),
        }
        let flags = AtFlags::empty();
        rustix::fs::linkat(
            &target.parent,
            &target.name,
            &place.parent,
            &place.name,
            flags,
        )?;
        Ok(())
    }

    fn make_device(
        &self,
        place: &Place,
        kind: FileType,
        major: u32,
        minor: u32,
    ) -> Result<(), Failure> {
        if !self.options.devices {
            return Err(Refusal::Device.into());
        }
        make_node(place, kind, rustix::fs::makedev(major, minor))
    }

    /// Takes away what has the name of a new entry that is no directory.
    fn make_room(&self, place: &Place) -> Result<(), Failure> {
        match place.stat()? {
            Some(stat) if is_directory(&stat) && self.options.existing == Existing::Keep => {
                Err(Errno::ISDIR.into())
            }
            Some(_) => Ok(place.clear()?),
            None => Ok(()),
        }
    }

    /// Everything about an open file or directory.
    fn set_open_attributes(&self, file: &OwnedFd, item: &Item) -> Result<(), Failure> {
        if self.options.ownership == Ownership::Archive {
            let (uid, gid) = (Uid::from_raw(item.uid), Gid::from_raw(item.gid));
            rustix::fs::fchown(file, Some(uid), Some(gid))?;
        }
        // After the owner: changing that takes set-user-id bits and capabilities away.
        rustix::fs::fchmod(file, Mode::from_raw_mode(item.mode))?;
        self.set_xattrs(file, item)?;
        rustix::fs::futimens(file, &times(item.mtime))?;
        Ok(())
    }

    /// Owner, mode and time of what cannot be opened: links, pipes and devices.
    fn set_attributes(&self, place: &Place, item: &Item) -> Result<(), Failure> {
        let (parent, name) = (&place.parent, &place.name);
        if self.options.ownership == Ownership::Archive {
            let (uid, gid) = (Uid::from_raw(item.uid), Gid::from_raw(item.gid));
            rustix::fs::chownat(
                parent,
                name,
                Some(uid),
                Some(gid),
                AtFlags::SYMLINK_NOFOLLOW,
            )?;
        }
        if !matches!(item.kind, Kind::Symlink(_)) {
            rustix::fs::chmodat(
                parent,
                name,
                Mode::from_raw_mode(item.mode),
                AtFlags::empty(),
            )?;
        }
        rustix::fs::utimensat(parent, name, &times(item.mtime), AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    }

    /// File capabilities and user attributes. Others are not an archive's to set: those of overlayfs
    /// could lead a mount elsewhere, those of security modules belong to the host.
    fn set_xattrs(&self, file: &OwnedFd, item: &Item) -> Result<(), Failure> {
        for (name, value) in &item.xattrs {
            let privileged = name == "security.capability";
            let user = name.as_bytes().starts_with(b"user.");
            if user || (privileged && self.options.ownership == Ownership::Archive) {
                match rustix::fs::fsetxattr(file, name.as_os_str(), value, XattrFlags::empty()) {
                    // A filesystem without user attributes is no reason to fail.
                    Err(Errno::OPNOTSUPP) if user => {}
                    other => other?,
                }
            }
        }
        Ok(())
    }

    /// Best effort: a directory may have been replaced by a later entry.
    fn finish_directories(&mut self) {
        for (path, mtime) in self.directories.drain(..).rev() {
            if let Ok(place) = self.target.place(&path) {
                let flags = AtFlags::SYMLINK_NOFOLLOW;
                let _ = rustix::fs::utimensat(&place.parent, &place.name, &times(mtime), flags);
            }
        }
    }
}

fn make_node(place: &Place, kind: FileType, device: u64) -> Result<(), Failure> {
    let mode = Mode::from_raw_mode(0o600);
    Ok(rustix::fs::mknodat(
        &place.parent,
        &place.name,
        kind,
        mode,
        device,
    )?)
}

fn open_directory(parent: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

fn times(mtime: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: mtime,
        tv_nsec: 0,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}
