//! Making a tar's entries real.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use tar::Entry;

use super::attributes::{
    Attributes, copy_up, make_file, make_node, remove_xattrs, set_directory_time,
    timespec_of_seconds,
};
use super::changeset::{Changeset, DirectoryTime};
use super::lower::Lower;
use super::options::{Existing, Options, Summary};
use super::reader::{Extensions, Item, Kind};
use super::target::{PathInDirectory, Target, check_depth, is_directory, open_directory};
use crate::room::Room;
use crate::{Error, Refusal};

/// Unpacks a tar stream into the directory `root`, or below [`Options::directory`] in it.
///
/// Nothing outside of `root` is read, made or changed, whatever the archive or the target hold.
/// Names may begin with `/`, which then means `root`; `..` is refused. The stream is read up to the
/// archive's end mark, not further.
pub fn into(root: impl AsFd, tar: impl Read, options: &Options) -> Result<Summary, Error> {
    unpack_tar(root.as_fd(), tar, options, None)
}

/// Unpacks a layer as [`into`] does, as far as it differs from the layers below it: on top of them it is what
/// the OCI image specification says, when overlayfs shows it. Of the lower layers, files may be copied.
pub fn layer(
    root: impl AsFd,
    lower: &Lower,
    tar: impl Read,
    options: &Options,
) -> Result<Summary, Error> {
    unpack_tar(root.as_fd(), tar, options, Some(Changeset::new(lower)))
}

fn unpack_tar(
    root: BorrowedFd<'_>,
    tar: impl Read,
    options: &Options,
    changeset: Option<Changeset<'_>>,
) -> Result<Summary, Error> {
    let target = Target::new(root, &options.directory).map_err(|reason| Error::Refused {
        name: options.directory.display().to_string(),
        reason,
    })?;
    let mut unpacking = Unpacking {
        target,
        options,
        changeset,
        summary: Summary::default(),
        directories: Vec::new(),
        held: 0,
        room: Room::new(root),
    };
    let mut archive = tar::Archive::new(tar);
    let mut extensions = Extensions::default();
    for entry in archive
        .entries()
        .map_err(Error::io("read archive"))?
        .raw(true)
    {
        let mut entry = entry.map_err(Error::io("read archive"))?;
        unpacking.count_entry(&entry)?;
        if !extensions.take_in(&mut entry)? {
            let item = std::mem::take(&mut extensions).finish(&entry)?;
            unpacking.apply_item(&item, &mut entry)?;
        }
    }
    unpacking.settle_changeset()?;
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
    /// What a layer says about those below it; other archives say nothing.
    changeset: Option<Changeset<'a>>,
    summary: Summary,
    /// Directories whose times are set last, as making files in them changes those.
    directories: Vec<DirectoryTime>,
    /// Bytes of the paths that are kept until the end.
    held: usize,
    room: Room<BorrowedFd<'a>>,
}

/// As many bytes of paths are kept until the end. The largest images have a tenth of it.
const MAX_HELD: usize = 24 << 20;
/// What keeping a path takes beside its bytes.
const HELD_OVERHEAD: usize = 96;

impl Unpacking<'_> {
    fn count_entry<R: Read>(&mut self, entry: &Entry<'_, R>) -> Result<(), Error> {
        self.summary.entries += 1;
        let refuse = |reason| Error::Refused {
            name: String::from_utf8_lossy(&entry.header().path_bytes()).into_owned(),
            reason,
        };
        if self.summary.entries > self.options.max_entries {
            return Err(refuse(Refusal::TooManyEntries));
        }
        self.count_bytes(entry.size()).map_err(refuse)?;
        let room = self.room.take_entry(entry.size());
        room.map_err(Error::io("unpack archive"))
    }

    fn count_bytes(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.summary.bytes = self.summary.bytes.saturating_add(bytes);
        if self.summary.bytes > self.options.max_bytes {
            Err(Refusal::TooLarge)
        } else {
            Ok(())
        }
    }

    /// Counts a path that is kept until the end.
    fn count_held(&mut self, path: &Path) -> Result<(), Refusal> {
        self.held += path.as_os_str().len() + HELD_OVERHEAD;
        if self.held > MAX_HELD {
            return Err(Refusal::TooManyEntries);
        }
        Ok(())
    }

    fn apply_item(&mut self, item: &Item, content: &mut dyn Read) -> Result<(), Error> {
        self.make_item(item, content)
            .map_err(|failure| match failure {
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

    fn make_item(&mut self, item: &Item, content: &mut dyn Read) -> Result<(), Failure> {
        let path = self.target.path(&item.path)?;
        if path.as_os_str().is_empty() {
            // The target itself: it exists, and what it looks like is its owner's business.
            return match item.kind {
                Kind::Directory => Ok(()),
                _ => Err(Refusal::EmptyName.into()),
            };
        }
        if let Some(changeset) = &mut self.changeset
            && changeset.note_whiteout(&path)?
        {
            return Ok(self.count_held(&path)?);
        }
        let place = self.place(&path)?;
        match &item.kind {
            Kind::Directory => return self.make_directory(&path, &place, item),
            Kind::File => return self.make_file(&place, item, content),
            _ => self.make_room(&place)?,
        }
        match &item.kind {
            Kind::HardLink(link) => self.make_hard_link(&place, link, item),
            Kind::Symlink(link) => {
                rustix::fs::symlinkat(link, &place.parent, &place.name)?;
                self.set_closed(&place, FileType::Symlink, item)
            }
            Kind::Fifo => self.make_node(&place, FileType::Fifo, 0, item),
            Kind::Character(major, minor) => {
                let device = self.device_number(*major, *minor)?;
                self.make_node(&place, FileType::CharacterDevice, device, item)
            }
            Kind::Block(major, minor) => {
                let device = self.device_number(*major, *minor)?;
                self.make_node(&place, FileType::BlockDevice, device, item)
            }
            Kind::Directory | Kind::File => Ok(()),
        }
    }

    /// The place of a path; a layer notes the directories that are made on the way.
    fn place(&mut self, path: &Path) -> Result<PathInDirectory, Failure> {
        let mut made = Vec::new();
        let place = self.target.place(path, &mut made);
        if self.changeset.is_some() {
            made.iter().try_for_each(|path| self.count_held(path))?;
        }
        if let Some(changeset) = &mut self.changeset {
            changeset.note_implied(&self.target, made)?;
        }
        Ok(place?)
    }

    fn make_directory(
        &mut self,
        path: &Path,
        place: &PathInDirectory,
        item: &Item,
    ) -> Result<(), Failure> {
        let keep = self.options.existing == Existing::Keep;
        let found = place.stat()?;
        let known = found.is_some_and(|stat| is_directory(&stat));
        if keep && (known || found.is_some() && self.target.is_directory(path)) {
            return Ok(());
        }
        if !known {
            place.remove_existing()?;
            rustix::fs::mkdirat(&place.parent, &place.name, Mode::from_raw_mode(0o700))?;
        }
        let directory = open_directory(&place.parent, &place.name)?;
        // Links on the way may be others by the time when this is looked at.
        let parent = path.parent().unwrap_or(Path::new(""));
        let path = self.target.canonical(parent)?.join(&place.name);
        check_depth(&path)?;
        self.count_held(&path)?;
        if let Some(changeset) = &mut self.changeset {
            changeset.note_listed(&rustix::fs::fstat(&directory)?);
            if found.is_some() && !known {
                changeset.note_replaced(path.clone());
            }
        }
        self.directories
            .push((path, timespec_of_seconds(item.mtime)));
        if known {
            remove_xattrs(&directory)?;
        }
        self.set_open(&directory, item)
    }

    fn make_file(
        &self,
        place: &PathInDirectory,
        item: &Item,
        content: &mut dyn Read,
    ) -> Result<(), Failure> {
        let flags = match self.make_room(place) {
            // A file that is a mount point, such as /etc/hosts in a node, can only be written over.
            Err(Failure::System(error))
                if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) =>
            {
                OFlags::TRUNC
            }
            other => {
                other?;
                OFlags::CREATE | OFlags::EXCL
            }
        };
        let mut file = File::from(make_file(place, flags)?);
        io::copy(content, &mut file)?;
        self.set_open(&OwnedFd::from(file), item)
    }

    fn make_hard_link(
        &mut self,
        place: &PathInDirectory,
        link: &Path,
        item: &Item,
    ) -> Result<(), Failure> {
        let path = self.target.path(link)?;
        if self.target.path(&item.path)? == path {
            return Err(Refusal::BadLink.into());
        }
        let bad = |_: Errno| Failure::from(Refusal::BadLink);
        let found = match self.target.strict_place(&path) {
            Err(Errno::NOENT) => None,
            target => {
                let target = target.map_err(bad)?;
                target.stat()?.map(|stat| (target, stat))
            }
        };
        let target = match found {
            Some((_, stat)) if is_directory(&stat) => return Err(Refusal::BadLink.into()),
            Some((target, _)) => target,
            None => self.copy_up(&path, item)?,
        };
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

    /// Makes a copy of a file of the lower layers that an entry links to, in its place.
    fn copy_up(&mut self, path: &Path, item: &Item) -> Result<PathInDirectory, Failure> {
        let Some(changeset) = &mut self.changeset else {
            return Err(Refusal::BadLink.into());
        };
        let found = changeset.find_link_target(path)?.ok_or(Refusal::BadLink)?;
        changeset.note_linked(path, &item.path);
        self.count_held(path)?;
        self.count_held(&item.path)?;
        let size = u64::try_from(found.stat.st_size).unwrap_or_default();
        self.count_bytes(size)?;
        self.room.take_entry(size)?;
        let place = self.place(path)?;
        copy_up(&found, &place, self.options.ownership)?;
        Ok(place)
    }

    fn device_number(&self, major: u32, minor: u32) -> Result<u64, Refusal> {
        if self.options.devices {
            Ok(rustix::fs::makedev(major, minor))
        } else {
            Err(Refusal::Device)
        }
    }

    fn make_node(
        &self,
        place: &PathInDirectory,
        kind: FileType,
        device: u64,
        item: &Item,
    ) -> Result<(), Failure> {
        make_node(place, kind, device)?;
        self.set_closed(place, kind, item)
    }

    /// Takes away what has the name of a new entry that is no directory.
    fn make_room(&self, place: &PathInDirectory) -> Result<(), Failure> {
        match place.stat()? {
            Some(stat) if is_directory(&stat) && self.options.existing == Existing::Keep => {
                Err(Errno::ISDIR.into())
            }
            Some(_) => Ok(place.remove_existing()?),
            None => Ok(()),
        }
    }

    fn set_open(&self, file: &OwnedFd, item: &Item) -> Result<(), Failure> {
        Ok(Attributes::of_item(item).set_open(file, self.options.ownership)?)
    }

    fn set_closed(
        &self,
        place: &PathInDirectory,
        kind: FileType,
        item: &Item,
    ) -> Result<(), Failure> {
        Ok(Attributes::of_item(item).set_closed(place, kind, self.options.ownership)?)
    }

    /// Makes real what a layer says about those below it.
    fn settle_changeset(&mut self) -> Result<(), Error> {
        let Some(changeset) = self.changeset.take() else {
            return Ok(());
        };
        if let Some(entry) = changeset.hidden_link() {
            return Err(Error::Refused {
                name: entry.display().to_string(),
                reason: Refusal::BadLink,
            });
        }
        let times = changeset.settle_entry(&self.target, self.options.ownership);
        self.directories
            .extend(times.map_err(Error::io("fit the layer to those below it"))?);
        Ok(())
    }

    /// Best effort: a directory may have been replaced by a later entry.
    fn finish_directories(&mut self) {
        for (path, mtime) in self.directories.drain(..) {
            if let Ok(place) = self.target.strict_place(&path) {
                let _ = set_directory_time(&place, mtime);
            }
        }
    }
}
