//! The tar stream of a node's `/var/log`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use kind_image::unpack::{Item, Kind, drain_padding, each_entry};
use kind_secret::RedactingWriter;

use super::bounds::Budget;
use super::place::{LogDirectory, lacks_links};

/// Where logs are in a node.
pub(super) const LOGS: &str = "/var/log";
/// Links that may lead from one to the next.
const MAX_LINKS: usize = 40;

/// A stream that is being unpacked.
pub(super) struct Unpacking<'a> {
    pub(super) directory: &'a LogDirectory,
    pub(super) budget: &'a Budget,
    /// Set when nobody waits for it any more.
    pub(super) over: &'a Arc<AtomicBool>,
    /// As many parts of each name are left out.
    pub(super) skip: usize,
}

/// What a stream has, by names below the target.
#[derive(Default)]
struct Found {
    files: BTreeSet<PathBuf>,
    links: BTreeMap<PathBuf, PathBuf>,
    entries: u64,
}

impl Unpacking<'_> {
    /// Unpacks regular files and directories. A symbolic link to one of the files becomes another name of it; others,
    /// which may lead to what is no log, are left out.
    pub(super) fn unpack_logs(&self, mut stream: impl Read) -> io::Result<()> {
        let mut found = Found::default();
        each_entry(&mut stream, |item, content| {
            self.take_entry(item, content, &mut found)
        })?;
        self.link_files(&found)?;
        // Whoever packs would fail to write what follows the end if nobody read it.
        drain_padding(&mut stream)
    }

    fn take_entry(&self, item: &Item, content: &mut dyn Read, found: &mut Found) -> io::Result<()> {
        found.entries += 1;
        if found.entries > self.budget.entries() {
            let text = format!("a node may have {} logs", self.budget.entries());
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, text));
        }
        let Some(path) = safe_path(&item.path, self.skip) else {
            return Ok(());
        };
        match &item.kind {
            Kind::Directory => drop(self.directory.make_directory(&path)?),
            Kind::File => {
                self.write_file(&path, content)?;
                found.files.insert(path);
            }
            Kind::Symlink(target) => {
                let target = link_target(&path, target);
                found.links.extend(target.map(|target| (path, target)));
            }
            kind => tracing::debug!(path = %path.display(), ?kind, "left out of the logs"),
        }
        Ok(())
    }

    fn write_file(&self, path: &Path, content: &mut dyn Read) -> io::Result<()> {
        let file = self.directory.create_file(path)?;
        let mut writer = RedactingWriter::new(self.budget.writer(file, self.over));
        io::copy(content, &mut writer)?;
        writer.finish().map(drop)
    }

    /// Gives a file another name. Where the filesystem has no such names that is a copy, within the same bounds.
    fn give_name(&self, file: &Path, path: &Path) -> io::Result<()> {
        match self.directory.link_file(file, path) {
            Err(error) if lacks_links(&error) => {
                let mut content = self.directory.open_file(file)?;
                let copy = self.directory.create_file(path)?;
                io::copy(&mut content, &mut self.budget.writer(copy, self.over)).map(drop)
            }
            linked => linked,
        }
    }

    fn link_files(&self, found: &Found) -> io::Result<()> {
        for path in found
            .links
            .keys()
            .filter(|path| !found.files.contains(*path))
        {
            match found.follow_links(path) {
                Some(file) => self.give_name(&file, path)?,
                None => tracing::debug!(path = %path.display(), "link left out of the logs"),
            }
        }
        Ok(())
    }
}

impl Found {
    /// The file that a link leads to, be it through other links, if it is one of these.
    fn follow_links(&self, path: &Path) -> Option<PathBuf> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            if self.files.contains(&path) {
                return Some(path);
            }
            // A directory on the way may be a link, too.
            let (link, target) = path.ancestors().find_map(|above| {
                let target = self.links.get(above)?;
                Some((above.to_owned(), target))
            })?;
            path = target.join(path.strip_prefix(&link).ok()?);
        }
        None
    }
}

/// Where a link leads, below the logs; `None` if that is elsewhere.
fn link_target(link: &Path, target: &Path) -> Option<PathBuf> {
    let target = match target.strip_prefix(LOGS) {
        Ok(below) => below.to_owned(),
        Err(_) if target.is_absolute() => return None,
        Err(_) => link.parent()?.join(target),
    };
    let mut path = PathBuf::new();
    for part in target.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if path.pop() => {}
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(path)
}

/// The path below the target; `None` if it would lead out of it or is the target itself.
fn safe_path(path: &Path, skip: usize) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    let named = path.components().filter(|part| *part != Component::CurDir);
    for part in named.skip(skip) {
        let Component::Normal(name) = part else {
            return None;
        };
        parts.push(name);
    }
    (!parts.as_os_str().is_empty()).then_some(parts)
}

/// Unpacks a stream below a directory, within the usual bounds.
#[cfg(feature = "fuzzing")]
pub(crate) fn unpack_below(stream: impl Read, directory: &Path) -> io::Result<()> {
    let unpacking = Unpacking {
        directory: &LogDirectory::open(directory)?,
        budget: &Budget::new(super::bounds::Bounds::USUAL),
        over: &Arc::default(),
        skip: 0,
    };
    unpacking.unpack_logs(stream)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tar::{EntryType, Header};

    use super::super::bounds::Bounds;
    use super::*;

    /// A tar of entries with their types, names, and content or where they lead.
    fn pack(entries: &[(EntryType, &str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (kind, name, content) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o4777);
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            let is_file = *kind == EntryType::Regular;
            if !is_file {
                let link = &mut header.as_old_mut().linkname;
                link[..content.len()].copy_from_slice(content.as_bytes());
            }
            let content = if is_file { *content } else { "" };
            header.set_size(content.len() as u64);
            header.set_cksum();
            tar.append(&header, content.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn unpack(directory: &Path, tar: &[u8], bounds: Bounds) -> io::Result<()> {
        let unpacking = Unpacking {
            directory: &LogDirectory::open(directory).unwrap(),
            budget: &Budget::new(bounds),
            over: &Arc::default(),
            skip: 0,
        };
        unpacking.unpack_logs(tar)
    }

    const FILE: EntryType = EntryType::Regular;
    const LINK: EntryType = EntryType::Symlink;

    #[test]
    fn links_lead_to_exported_logs_or_nowhere() {
        let place = tempfile::tempdir().unwrap();
        let secret = place.path().join("secret");
        fs::write(&secret, "secret").unwrap();
        let path = place.path().join("logs");
        let tar = pack(&[
            (LINK, "containers/a.log", "/var/log/pods/x/0.log"),
            (LINK, "containers/b.log", "../containers/a.log"),
            (LINK, "twice", "pods"),
            (LINK, "through", "twice/x/0.log"),
            (LINK, "out", secret.to_str().unwrap()),
            (LINK, "up", "../../etc/kubernetes/admin.conf"),
            (LINK, "circle", "circle"),
            (EntryType::Link, "hard", "pods/x/0.log"),
            (EntryType::Fifo, "null", ""),
            (FILE, "pods/x/0.log", "log"),
            (FILE, "../above", "evil"),
            (FILE, "/rooted", "evil"),
        ]);
        unpack(&path, &tar, Bounds::USUAL).unwrap();
        for name in [
            "containers/a.log",
            "containers/b.log",
            "through",
            "pods/x/0.log",
        ] {
            assert_eq!(fs::read(path.join(name)).unwrap(), b"log", "{name}");
            let file = fs::symlink_metadata(path.join(name)).unwrap();
            assert_eq!(file.permissions().mode() & 0o7777, 0o600, "{name}");
        }
        for name in [
            "twice", "out", "up", "circle", "hard", "null", "rooted", "../above",
        ] {
            assert!(fs::symlink_metadata(path.join(name)).is_err(), "{name}");
        }
    }

    /// A mount between two names forbids a link between them, like filesystems that have none.
    #[test]
    fn a_file_that_can_have_no_other_name_is_copied() {
        kind_testkit::machine::require_root();
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("containers");
        fs::create_dir(&path).unwrap();
        let tar = pack(&[
            (FILE, "pods/0.log", "log"),
            (LINK, "containers/a.log", "../pods/0.log"),
        ]);
        std::thread::scope(|scope| {
            let unpacked = scope.spawn(|| {
                kind_sys::namespace::unshare_mounts().unwrap();
                kind_sys::mount::make_all_private().unwrap();
                kind_sys::mount::bind(&path, &path).unwrap();
                unpack(place.path(), &tar, Bounds::USUAL).unwrap();
                unpack(
                    place.path(),
                    &tar,
                    Bounds {
                        bytes: 5,
                        ..Bounds::USUAL
                    },
                )
                .unwrap_err()
            });
            let error = unpacked.join().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        });
        assert_eq!(fs::read(place.path().join("pods/0.log")).unwrap(), b"log");
    }

    #[test]
    fn a_node_cannot_fill_the_disk() {
        let place = tempfile::tempdir().unwrap();
        let (long, few) = ("x".repeat(5000), |bytes, entries| Bounds {
            bytes,
            entries,
            ..Bounds::USUAL
        });
        let tar = pack(&[(FILE, "a", &long), (FILE, "b", &long)]);
        unpack(place.path(), &tar, few(10_000, 2)).unwrap();
        let error = unpack(place.path(), &tar, few(9_999, 2)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let error = unpack(place.path(), &tar, few(10_000, 1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
    }

    #[test]
    fn secrets_of_a_log_stay_in_the_node() {
        let place = tempfile::tempdir().unwrap();
        let tar = pack(&[(FILE, "a", "token abcdef.0123456789abcdef\n")]);
        unpack(place.path(), &tar, Bounds::USUAL).unwrap();
        let text = fs::read_to_string(place.path().join("a")).unwrap();
        assert_eq!(text, "token <redacted>\n");
    }

    #[test]
    fn paths_stay_below_the_target() {
        for (path, skip, safe) in [
            ("./pods/a.log", 0, Some("pods/a.log")),
            ("log/pods/a.log", 1, Some("pods/a.log")),
            ("./", 0, None),
            ("log", 1, None),
            ("../a", 0, None),
            ("a/../../b", 0, None),
            ("/etc/passwd", 0, None),
        ] {
            assert_eq!(
                safe_path(Path::new(path), skip).as_deref(),
                safe.map(Path::new),
                "{path}"
            );
        }
    }
}
