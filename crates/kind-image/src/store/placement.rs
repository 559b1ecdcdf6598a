//! Getting a directory into the store.

use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::concurrent::run_piped;
use crate::{Error, pack, unpack};

/// What happens to a directory that becomes a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It is moved into the store (copied where the store is on another filesystem, then removed).
    Move,
    /// It stays; the store gets hard links to its files (copies where it is on another filesystem).
    Link,
}

/// Puts the directory `from` at `to`, which does not exist.
pub(super) fn place_tree(from: &Path, to: &Path, placement: Placement) -> Result<(), Error> {
    match placement {
        Placement::Move => match fs::rename(from, to) {
            Err(error) if is_cross_device(&error) => {
                copy_tree(from, to)?;
                fs::remove_dir_all(from).map_err(Error::path("remove", from))
            }
            other => other.map_err(Error::path("move", from)),
        },
        Placement::Link => match link_tree(from, to) {
            Err(Error::Io { source, .. }) if is_cross_device(&source) => {
                fs::remove_dir_all(to).map_err(Error::path("remove", to))?;
                copy_tree(from, to)
            }
            other => other,
        },
    }
}

fn is_cross_device(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::XDEV.raw_os_error())
}

/// Copies with everything an image can hold: what the packer writes and the unpacker makes of it.
fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    make_like(from, to)?;
    let (source, target) = (unpack::open_root(from)?, unpack::open_root(to)?);
    let pack = |writer| pack::contents(&source, io::BufWriter::new(writer));
    let unpack = |reader| unpack::into(&target, reader, &unpack::Options::layer());
    let (packed, unpacked) = run_piped(pack, unpack).map_err(Error::io("make pipe"))?;
    unpacked.and(packed)
}

/// Makes a tree of new directories with hard links to the files of another.
fn link_tree(from: &Path, to: &Path) -> Result<(), Error> {
    make_like(from, to)?;
    for entry in fs::read_dir(from).map_err(Error::path("read", from))? {
        let entry = entry.map_err(Error::path("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(Error::path("read", &source))?;
        if kind.is_dir() {
            link_tree(&source, &target)?;
        } else {
            // `fs::hard_link` does not follow symbolic links: they are linked as such.
            fs::hard_link(&source, &target).map_err(Error::path("link", &source))?;
        }
    }
    copy_time(from, to)
}

/// Makes a directory with the owner, mode and time of another.
fn make_like(from: &Path, to: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(from).map_err(Error::path("read", from))?;
    fs::create_dir(to).map_err(Error::path("create", to))?;
    std::os::unix::fs::chown(to, Some(metadata.uid()), Some(metadata.gid()))
        .map_err(Error::path("change owner of", to))?;
    fs::set_permissions(to, metadata.permissions()).map_err(Error::path("change mode of", to))
}

fn copy_time(from: &Path, to: &Path) -> Result<(), Error> {
    let set = || {
        let times = fs::FileTimes::new().set_modified(fs::metadata(from)?.modified()?);
        fs::File::open(to)?.set_times(times)
    };
    set().map_err(Error::path("set time of", to))
}
