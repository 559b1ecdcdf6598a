//! Tar headers and extended headers from what the system says about a file.

use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use tar::{EntryType, Header};

/// The header of a file, without its name; `None` for what a tar cannot hold (sockets).
pub(super) fn file_header(stat: &Stat) -> Option<Header> {
    let mut header = Header::new_gnu();
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryType::Regular,
        FileType::Directory => EntryType::Directory,
        FileType::Symlink => EntryType::Symlink,
        FileType::Fifo => EntryType::Fifo,
        FileType::CharacterDevice => EntryType::Char,
        FileType::BlockDevice => EntryType::Block,
        _ => return None,
    };
    header.set_entry_type(kind);
    header.set_mode(stat.st_mode & 0o7777);
    header.set_uid(stat.st_uid.into());
    header.set_gid(stat.st_gid.into());
    header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
    header.set_size(0);
    match kind {
        EntryType::Regular => header.set_size(u64::try_from(stat.st_size).unwrap_or(0)),
        EntryType::Char | EntryType::Block => {
            header
                .set_device_major(rustix::fs::major(stat.st_rdev))
                .ok()?;
            header
                .set_device_minor(rustix::fs::minor(stat.st_rdev))
                .ok()?;
        }
        _ => {}
    }
    Some(header)
}

/// File capabilities and user attributes, sorted.
pub(crate) fn extended_attributes(file: impl AsFd) -> Result<Vec<(String, Vec<u8>)>, Errno> {
    let mut names = vec![0; 64 << 10];
    let length = match rustix::fs::flistxattr(&file, names.as_mut_slice()) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error),
    };
    let mut attributes = Vec::new();
    for name in names[..length].split(|&b| b == 0) {
        let Ok(name) = std::str::from_utf8(name) else {
            continue;
        };
        if name == "security.capability" || name.starts_with("user.") {
            let mut value = vec![0; 64 << 10];
            let length = rustix::fs::fgetxattr(&file, name, value.as_mut_slice())?;
            value.truncate(length);
            attributes.push((name.to_owned(), value));
        }
    }
    attributes.sort();
    Ok(attributes)
}
