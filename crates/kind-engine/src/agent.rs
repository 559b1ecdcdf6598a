//! The program that runs inside every node.
//!
//! Engines that copy into containers are given its content and need no file of it. Nodes of the native engine and
//! of nerdctl take it from a file of the host: an embedded program becomes one when the first node needs it.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Where the program `kind-node` comes from.
#[derive(Debug, Clone)]
pub struct Agent {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Embedded {
        bytes: &'static [u8],
        digest: &'static str,
    },
}

impl Agent {
    /// A file that is there.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            source: Source::File(path.into()),
        }
    }

    /// Bytes that the calling program carries, with their SHA-256 digest in hexadecimal.
    pub fn embedded(bytes: &'static [u8], digest: &'static str) -> Self {
        Self {
            source: Source::Embedded { bytes, digest },
        }
    }

    /// The program's bytes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn content(&self) -> io::Result<Cow<'static, [u8]>> {
        match &self.source {
            Source::File(path) => fs::read(path).map(Cow::Owned),
            Source::Embedded { bytes, .. } => Ok(Cow::Borrowed(bytes)),
        }
    }

    /// Where the program is, or will be once [`Agent::install`] has put it below `directory`.
    pub fn place(&self, directory: &Path) -> PathBuf {
        match &self.source {
            Source::File(path) => path.clone(),
            Source::Embedded { digest, .. } => directory.join(digest).join("kind-node"),
        }
    }

    /// The machine that the program is for, as images name it; `None` if that does not show.
    pub fn architecture(&self) -> Option<&'static str> {
        match &self.source {
            Source::File(path) => {
                let mut head = [0; ELF_HEAD];
                File::open(path).ok()?.read_exact(&mut head).ok()?;
                machine_of_program(&head)
            }
            Source::Embedded { bytes, .. } => machine_of_program(bytes.get(..ELF_HEAD)?),
        }
    }

    /// The program as a file. An embedded one is written below `directory`, once for each version: a file that
    /// is there is used if it holds these very bytes and nobody else can change them; otherwise it is replaced.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn install(&self, directory: &Path) -> io::Result<PathBuf> {
        let path = self.place(directory);
        if let Source::Embedded { bytes, .. } = &self.source
            && !is_whole(&path, bytes)
        {
            write_program(&path, bytes)?;
        }
        Ok(path)
    }
}

/// As much of a program as tells its machine.
const ELF_HEAD: usize = 20;

/// The machine in the head of an ELF file.
fn machine_of_program(head: &[u8]) -> Option<&'static str> {
    match (head.starts_with(b"\x7fELF"), head.get(18..20)?) {
        (true, [62, 0]) => Some("amd64"),
        (true, [183, 0]) => Some("arm64"),
        _ => None,
    }
}

/// Whether the file is there as it has to be. Its directory counts too: who may write there can replace it.
fn is_whole(path: &Path, bytes: &[u8]) -> bool {
    let of_user = path.parent().is_some_and(is_users_alone) && is_users_alone(path);
    let runs = |file: &fs::Metadata| file.is_file() && file.mode() & 0o111 == 0o111;
    let runs = fs::symlink_metadata(path).is_ok_and(|file| runs(&file));
    of_user && runs && holds_bytes(path, bytes).unwrap_or(false)
}

/// Whether a path is no link, and nobody but this user and root can change what is there.
fn is_users_alone(path: &Path) -> bool {
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    let user = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|found| {
        !found.is_symlink()
            && [0, user].contains(&found.uid())
            && found.mode() & WRITABLE_BY_OTHERS == 0
    })
}

/// Whether a file has exactly this content. The bytes themselves are compared: what is right has the digest
/// that its directory is named after.
fn holds_bytes(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    const PART: usize = 1 << 16;
    let file = File::open(path)?;
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let mut reader = BufReader::with_capacity(PART, file);
    let mut found = [0; PART];
    for part in bytes.chunks(PART) {
        let found = &mut found[..part.len()];
        reader.read_exact(found)?;
        if found != part {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Puts a program in place as a whole: another process may be about to run it.
fn write_program(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    if fs::symlink_metadata(directory).is_ok() && !is_users_alone(directory) {
        // What others could change is not written into. Nodes that run keep the program they have.
        remove_path(directory)?;
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o755).create(directory)?;
    // A name of its own: nodes that are made at once may all find the program missing.
    let mut file = tempfile::Builder::new()
        .prefix("kind-node.")
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn remove_path(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use kind_testkit::machine::require_root;

    use super::*;

    const PROGRAM: &[u8] = b"#!/bin/true\n";

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn an_embedded_agent_is_written_once() {
        let directory = tempfile::tempdir().unwrap();
        let agent = Agent::embedded(PROGRAM, "abc");
        assert_eq!(agent.content().unwrap(), PROGRAM);
        let path = agent.install(directory.path()).unwrap();
        assert_eq!(path, directory.path().join("abc/kind-node"));
        let written = fs::metadata(&path).unwrap();
        assert_eq!(written.permissions().mode() & 0o777, 0o755);
        agent.install(directory.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().ino(), written.ino());
    }

    #[test]
    fn of_many_at_once_all_have_a_whole_program() {
        let directory = tempfile::tempdir().unwrap();
        let agent = Agent::embedded(PROGRAM, "abc");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let path = agent.install(directory.path()).unwrap();
                    assert!(is_whole(&path, PROGRAM));
                });
            }
        });
        let left = fs::read_dir(directory.path().join("abc")).unwrap().count();
        assert_eq!(left, 1);
    }

    #[test]
    fn what_is_not_the_program_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let agent = Agent::embedded(PROGRAM, "abc");
        let path = agent.install(directory.path()).unwrap();
        let parent = path.parent().unwrap();
        let spoils: [(&str, &dyn Fn()); 8] = [
            ("half of it", &|| fs::write(&path, &PROGRAM[..6]).unwrap()),
            ("as long", &|| fs::write(&path, b"#!/bin/evil\n").unwrap()),
            ("longer", &|| {
                fs::write(&path, [PROGRAM, b"x"].concat()).unwrap();
            }),
            ("does not run", &|| mode(&path, 0o644)),
            ("others may write", &|| mode(&path, 0o775)),
            ("others may write beside it", &|| mode(parent, 0o777)),
            ("a link", &|| {
                fs::write(directory.path().join("same"), PROGRAM).unwrap();
                mode(&directory.path().join("same"), 0o755);
                fs::remove_file(&path).unwrap();
                symlink("../same", &path).unwrap();
            }),
            ("a link to a directory", &|| {
                fs::rename(parent, directory.path().join("elsewhere")).unwrap();
                symlink("elsewhere", parent).unwrap();
            }),
        ];
        for (what, spoil) in spoils {
            spoil();
            assert!(!is_whole(&path, PROGRAM), "{what}");
            assert_eq!(agent.install(directory.path()).unwrap(), path, "{what}");
            assert!(is_whole(&path, PROGRAM), "{what}");
            assert_eq!(fs::read_dir(parent).unwrap().count(), 1, "{what}");
        }
    }

    /// Only root can give files away; who is not root cannot be given a file of this name.
    #[test]
    fn a_file_of_somebody_else_is_not_trusted() {
        require_root();
        let directory = tempfile::tempdir().unwrap();
        let agent = Agent::embedded(PROGRAM, "abc");
        let path = agent.install(directory.path()).unwrap();
        for given in [path.as_path(), path.parent().unwrap()] {
            std::os::unix::fs::chown(given, Some(12345), None).unwrap();
            assert!(!is_whole(&path, PROGRAM));
            agent.install(directory.path()).unwrap();
            assert!(is_whole(&path, PROGRAM));
        }
    }

    #[test]
    fn a_program_tells_its_machine() {
        let host = kind_image::oci::Platform::of_host().architecture;
        let this = Agent::file(std::env::current_exe().unwrap());
        assert_eq!(this.architecture(), Some(host.as_str()));
        let script = Agent::embedded(b"#!/bin/sh\nexec something\n", "d");
        assert_eq!(script.architecture(), None);
    }
}
