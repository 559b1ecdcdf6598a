//! Where the native engine keeps what on disk, and the locks that keep it whole.
//!
//! ```text
//! lock                  held while addresses, ports and networks are given out or taken back
//! images/               the image store
//! networks/NAME.json    record of a network
//! prepared/DIGEST/      unpacked images of a node image that has them packed
//! nodes/NAME/           a node: node.json (record), lock (held by its monitor), run.json, exit, log, hosts, hostname,
//!                       resolv.conf, upper/ and work/ (overlay), var/ (its /var), root/ (mount point, always empty)
//! agents/DIGEST/        the node agent, as each version of kind brings it
//! trash/                directories on their way in or out
//! reports/              why helper processes failed
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use kind_image::make_private_directory;

use crate::Error;

/// How long looks at whether a node runs may keep its monitor waiting.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(5);

/// The native engine's directory.
#[derive(Debug, Clone)]
pub(super) struct State {
    root: PathBuf,
}

/// The directory of one node.
#[derive(Debug, Clone)]
pub(super) struct NodeDirectory {
    path: PathBuf,
}

/// A lock that is free again when this is dropped, or its process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl State {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A number for a name on the host that is one of this state directory's: 48 bits of FNV-1a, stable
    /// between releases, and enough to tell all nodes of one host apart.
    pub(super) fn hash(&self, name: &str) -> u64 {
        let root = self.root.as_os_str().as_encoded_bytes();
        let bytes = root.iter().chain(b"\0").chain(name.as_bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash >> 16
    }

    /// A short word that tells this state directory from others.
    pub(super) fn tag(&self) -> String {
        format!("{:012x}", self.hash(""))
    }

    /// Makes the directories; only root may look into them.
    pub(super) fn make_directories(&self) -> Result<(), Error> {
        make_private_directory(&self.root).map_err(io_error("use", &self.root))?;
        for name in ["nodes", "networks", "trash"] {
            make_directory(&self.root.join(name))?;
        }
        Ok(())
    }

    /// Waits for the lock of everything that is shared between nodes.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        self.make_directories()?;
        let path = self.root.join("lock");
        let file = lock_file(&path)?;
        file.lock().map_err(io_error("lock", &path))?;
        Ok(Lock { _file: file })
    }

    pub(super) fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    pub(super) fn networks(&self) -> PathBuf {
        self.root.join("networks")
    }

    pub(super) fn shared_image_stores(&self) -> PathBuf {
        self.root.join("prepared")
    }

    pub(super) fn agents(&self) -> PathBuf {
        self.root.join("agents")
    }

    pub(super) fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// A place in the trash that is free. The number of this process may be that of an earlier one, which was killed
    /// and has left something of that name.
    pub(super) fn place_in_trash(&self, name: &str, _lock: &Lock) -> PathBuf {
        let process = std::process::id();
        (0..u64::MAX)
            .map(|number| self.trash().join(format!("{name}-{process}-{number}")))
            .find(|place| !place.exists())
            .expect("there are more numbers than files")
    }

    pub(super) fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    pub(super) fn nodes(&self) -> PathBuf {
        self.root.join("nodes")
    }

    /// The directory of the node of that name, which need not exist.
    pub(super) fn node(&self, name: &str) -> NodeDirectory {
        NodeDirectory {
            path: self.nodes().join(file_name(name)),
        }
    }

    /// A node's directory that is not in its place yet.
    pub(super) fn node_directory_at(path: &Path) -> NodeDirectory {
        NodeDirectory {
            path: path.to_owned(),
        }
    }

    /// Names of all nodes, sorted.
    pub(super) fn node_names(&self) -> Result<Vec<String>, Error> {
        names_in(&self.nodes())
    }
}

impl NodeDirectory {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The monitor's lock, or `None` if another monitor has it: then the node runs. Whoever looks whether it does
    /// keeps the lock for a moment, which is waited for.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>, Error> {
        let path = self.file("lock");
        let file = lock_file(&path)?;
        let deadline = Instant::now() + LOOK_TIMEOUT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Lock { _file: file })),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
            }
        }
    }

    /// A monitor is alive and responsible for the node. All may look at the same time: the lock is only shared.
    pub(super) fn is_running(&self) -> bool {
        let look = || lock_file(&self.file("lock")).map(|file| file.try_lock_shared());
        self.exists() && matches!(look(), Ok(Err(TryLockError::WouldBlock)))
    }
}

/// A name as that of one file. Names come from callers: none may lead to another directory, and one that
/// would is that of a node or network that does not exist.
pub(super) fn file_name(name: &str) -> String {
    match name {
        "" | "." | ".." => format!("%{name}"),
        _ => name.replace('/', "%2F"),
    }
}

/// Names of the directories in `directory`, sorted; none if it does not exist.
pub(super) fn names_in(directory: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", directory)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error("read", directory))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// What the name of a text ends with that is not in its place yet.
pub(super) const UNFINISHED: &str = "new";

/// Puts a file in its place as a whole: readers see the old text or the new, also after a power cut.
pub(super) fn write_atomically(path: &Path, text: &[u8]) -> Result<(), Error> {
    let temporary = path.with_extension(format!("{}.{UNFINISHED}", std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        // On a full disk its room is what the user needs.
        let _ = fs::remove_file(&temporary);
        io_error("write", path)(error)
    })
}

pub(super) fn make_directory(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(io_error("make", path))
}

/// Wraps an operating-system error with `action` and the path it was about.
pub(super) fn io_error(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    Error::io(format!("{action} {}", path.display()))
}

pub(super) fn lock_file(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(io_error("open", path))
}

#[cfg(test)]
mod tests {
    use kind_testkit::machine::SmallDisk;

    use super::*;
    use crate::Code;

    #[test]
    fn names_on_the_host_tell_nodes_and_states_apart() {
        let (one, other) = (State::new("/a".into()), State::new("/b".into()));
        assert_ne!(one.hash("kind-worker"), one.hash("kind-worker2"));
        assert_ne!(one.hash("kind-worker"), other.hash("kind-worker"));
        assert_eq!(one.tag().len(), 12);
    }

    #[test]
    fn a_place_that_users_share_is_no_state_directory() {
        let place = tempfile::tempdir().unwrap();
        let shared = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
        fs::set_permissions(place.path(), shared).unwrap();
        assert!(
            State::new(place.path().to_owned())
                .make_directories()
                .is_err()
        );
    }

    #[test]
    fn no_name_leads_out_of_the_nodes() {
        let state = State::new("/state".into());
        for name in ["", ".", "..", "../../etc", "/etc", "a/b", "ok"] {
            let node = state.node(name);
            assert_eq!(
                node.path().parent(),
                Some(Path::new("/state/nodes")),
                "{name:?}"
            );
            assert!(node.path().file_name().is_some(), "{name:?}");
        }
        assert_eq!(state.node("ok").path(), Path::new("/state/nodes/ok"));
    }

    #[test]
    fn what_an_earlier_process_of_that_number_left_is_in_nobodys_way() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned());
        let lock = state.lock().unwrap();
        let places = [(); 2].map(|()| {
            let place = state.place_in_trash("a", &lock);
            make_directory(&place.join("upper")).unwrap();
            place
        });
        assert_ne!(places[0], places[1]);
    }

    #[test]
    fn a_full_disk_keeps_what_was_there() {
        let disk = SmallDisk::new(1 << 20);
        let path = disk.path().join("record.json");
        write_atomically(&path, b"old").unwrap();
        disk.fill();
        let error = write_atomically(&path, &[b'n'; 64 << 10]).unwrap_err();
        assert_eq!(error.code(), Code::DiskFull);
        assert!(error.remedy().unwrap().contains("kind prune"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let half = |name: &String| name.ends_with(UNFINISHED);
        assert!(!names_in(disk.path()).unwrap().iter().any(half));
    }

    #[test]
    fn a_held_lock_means_running() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned());
        state.make_directories().unwrap();
        let node = state.node("a");
        assert!(!node.is_running());
        fs::create_dir(node.path()).unwrap();
        assert!(!node.is_running());
        let lock = node.try_lock().unwrap().unwrap();
        assert!(node.is_running());
        drop(lock);
        assert!(!node.is_running());
        assert_eq!(state.node_names().unwrap(), ["a"]);
    }

    #[test]
    fn a_look_at_a_node_is_no_monitor() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned());
        state.make_directories().unwrap();
        let node = state.node("a");
        fs::create_dir(node.path()).unwrap();
        let look = lock_file(&node.file("lock")).unwrap();
        look.lock_shared().unwrap();
        assert!(!node.is_running(), "another one looks at the same time");
        let looking = thread::spawn(move || {
            thread::sleep(POLL * 10);
            drop(look);
        });
        let lock = node.try_lock().unwrap();
        assert!(lock.is_some(), "the monitor gets the lock after the look");
        looking.join().unwrap();
        assert!(node.try_lock().unwrap().is_none());
    }
}
