//! Owner, mode, times and extended attributes of what is unpacked.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

use super::lower::{Found, open_file};
use super::options::Ownership;
use super::reader::Item;
use super::target::{PathInDirectory, is_directory};
use crate::pack;

/// What a file, a directory, a link, a pipe or a device has beside its content.
pub(super) struct Attributes {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    pub(super) mtime: Timespec,
    pub(super) xattrs: Vec<(OsString, Vec<u8>)>,
}

impl Attributes {
    /// Those that an archive's entry names.
    pub(super) fn of_item(item: &Item) -> Self {
        Self {
            uid: item.uid,
            gid: item.gid,
            mode: item.mode,
            mtime: timespec_of_seconds(item.mtime),
            xattrs: item.xattrs.clone(),
        }
    }

    /// Those of something in a lower layer; `open` is it, if it can be opened.
    pub(super) fn of_lower(stat: &Stat, open: Option<&OwnedFd>) -> Result<Self, Errno> {
        let xattrs = match open {
            Some(open) => pack::extended_attributes(open)?,
            None => Vec::new(),
        };
        Ok(Self {
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: stat.st_mode & 0o7777,
            mtime: mtime(stat),
            xattrs: xattrs
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        })
    }

    /// Those of a directory that nobody lists.
    pub(super) fn of_new_directory(stat: &Stat) -> Self {
        Self {
            uid: 0,
            gid: 0,
            mode: 0o755,
            mtime: mtime(stat),
            xattrs: Vec::new(),
        }
    }

    /// Sets them on an open file or directory.
    pub(super) fn set_open(&self, file: &OwnedFd, ownership: Ownership) -> Result<(), Errno> {
        if ownership == Ownership::Archive {
            let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
            rustix::fs::fchown(file, Some(uid), Some(gid))?;
        }
        // After the owner: changing that takes set-user-id bits and capabilities away.
        rustix::fs::fchmod(file, Mode::from_raw_mode(self.mode))?;
        self.set_xattrs(file, ownership)?;
        rustix::fs::futimens(file, &times(self.mtime))
    }

    /// Sets what can be set on what cannot be opened: links, pipes and devices.
    pub(super) fn set_closed(
        &self,
        place: &PathInDirectory,
        kind: FileType,
        ownership: Ownership,
    ) -> Result<(), Errno> {
        let (parent, name) = (&place.parent, &place.name);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        if ownership == Ownership::Archive {
            let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
            rustix::fs::chownat(parent, name, Some(uid), Some(gid), flags)?;
        }
        if kind != FileType::Symlink {
            let mode = Mode::from_raw_mode(self.mode);
            rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?;
        }
        rustix::fs::utimensat(parent, name, &times(self.mtime), flags)
    }

    /// File capabilities and user attributes. Others are not an archive's to set: those of overlayfs
    /// could lead a mount elsewhere, those of security modules belong to the host.
    fn set_xattrs(&self, file: &OwnedFd, ownership: Ownership) -> Result<(), Errno> {
        for (name, value) in &self.xattrs {
            let privileged = name == "security.capability";
            let user = name.as_bytes().starts_with(b"user.");
            if user || (privileged && ownership == Ownership::Archive) {
                match rustix::fs::fsetxattr(file, name.as_os_str(), value, XattrFlags::empty()) {
                    // A filesystem without user attributes is no reason to fail.
                    Err(Errno::OPNOTSUPP) if user => {}
                    other => other?,
                }
            }
        }
        Ok(())
    }
}

/// Copies what is no directory from a lower layer, with all its attributes; gives the bytes of its content.
pub(super) fn copy_up(
    from: &Found,
    to: &PathInDirectory,
    ownership: Ownership,
) -> Result<u64, io::Error> {
    let kind = FileType::from_raw_mode(from.stat.st_mode);
    let (place, stat) = (&from.place, &from.stat);
    match kind {
        FileType::RegularFile => {
            let source = open_file(from)?;
            let attributes = Attributes::of_lower(stat, Some(&source))?;
            let mut file = File::from(make_file(to, OFlags::CREATE | OFlags::EXCL)?);
            let bytes = io::copy(&mut File::from(source), &mut file)?;
            attributes.set_open(&file.into(), ownership)?;
            return Ok(bytes);
        }
        FileType::Symlink => {
            let link = rustix::fs::readlinkat(&place.parent, &place.name, Vec::new())?;
            let link = OsStr::from_bytes(link.to_bytes());
            rustix::fs::symlinkat(link, &to.parent, &to.name)?;
        }
        kind => make_node(to, kind, stat.st_rdev)?,
    }
    Attributes::of_lower(stat, None)?.set_closed(to, kind, ownership)?;
    Ok(0)
}

/// Opens a file to write it, which `flags` may make first.
pub(super) fn make_file(place: &PathInDirectory, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::openat(&place.parent, &place.name, flags, mode)
}

/// Makes a pipe, a socket or a device.
pub(super) fn make_node(place: &PathInDirectory, kind: FileType, device: u64) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(&place.parent, &place.name, kind, mode, device)
}

/// Sets the time of a directory, if one still stands at the place.
pub(super) fn set_directory_time(place: &PathInDirectory, mtime: Timespec) -> Result<(), Errno> {
    match place.stat()? {
        Some(stat) if is_directory(&stat) => {
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            rustix::fs::utimensat(&place.parent, &place.name, &times(mtime), flags)
        }
        _ => Ok(()),
    }
}

/// Removes the attributes that an archive may set.
pub(super) fn remove_xattrs(file: &OwnedFd) -> Result<(), Errno> {
    let attributes = pack::extended_attributes(file)?;
    let mut names = attributes.iter().map(|(name, _)| name.as_str());
    names.try_for_each(|name| rustix::fs::fremovexattr(file, name))
}

fn mtime(stat: &Stat) -> Timespec {
    Timespec {
        tv_sec: stat.st_mtime,
        tv_nsec: i64::try_from(stat.st_mtime_nsec).unwrap_or_default(),
    }
}

/// Whole seconds.
pub(super) fn timespec_of_seconds(seconds: i64) -> Timespec {
    Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    }
}

fn times(mtime: Timespec) -> Timestamps {
    Timestamps {
        last_access: mtime,
        last_modification: mtime,
    }
}
