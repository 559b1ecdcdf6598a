//! The program that runs inside every node, as a file on the host.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

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

    /// Where the program is, or will be once it is needed.
    pub(crate) fn place(&self, directory: &Path) -> PathBuf {
        match &self.source {
            Source::File(path) => path.clone(),
            Source::Embedded { digest, .. } => directory.join(digest).join("kind-node"),
        }
    }

    /// The machine that the program is for, as images name it; `None` if that does not show.
    pub(crate) fn architecture(&self) -> Option<&'static str> {
        match &self.source {
            Source::File(path) => {
                let mut head = [0; ELF_HEAD];
                fs::File::open(path).ok()?.read_exact(&mut head).ok()?;
                machine(&head)
            }
            Source::Embedded { bytes, .. } => machine(bytes.get(..ELF_HEAD)?),
        }
    }

    /// The program as a file. An embedded one is written below `directory` once for each version.
    pub(crate) fn path(&self, directory: &Path) -> Result<PathBuf> {
        match &self.source {
            Source::File(path) => Ok(path.clone()),
            Source::Embedded { bytes, .. } => {
                let path = self.place(directory);
                let whole = fs::metadata(&path).is_ok_and(|file| file.len() == bytes.len() as u64);
                if !whole {
                    install(&path, bytes).map_err(Error::io("failed to write", &path))?;
                }
                Ok(path)
            }
        }
    }
}

/// As much of a program as tells its machine.
const ELF_HEAD: usize = 20;

/// The machine in the head of an ELF file.
fn machine(head: &[u8]) -> Option<&'static str> {
    match (head.starts_with(b"\x7fELF"), head.get(18..20)?) {
        (true, [62, 0]) => Some("amd64"),
        (true, [183, 0]) => Some("arm64"),
        _ => None,
    }
}

/// Puts a program in place as a whole: another process may be about to run it.
fn install(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let temporary = directory.join(format!("kind-node.{}", std::process::id()));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_embedded_agent_is_written_once() {
        let directory = tempfile::tempdir().unwrap();
        let agent = Agent::embedded(b"#!/bin/true\n", "abc");
        let path = agent.path(directory.path()).unwrap();
        assert_eq!(path, directory.path().join("abc/kind-node"));
        let written = fs::metadata(&path).unwrap();
        assert_eq!(written.permissions().mode() & 0o777, 0o755);
        agent.path(directory.path()).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().modified().unwrap(),
            written.modified().unwrap()
        );
        fs::write(&path, "half").unwrap();
        agent.path(directory.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"#!/bin/true\n");
    }

    #[test]
    fn a_program_tells_its_machine() {
        let host = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            _ => return,
        };
        let this = Agent::file(std::env::current_exe().unwrap());
        assert_eq!(this.architecture(), Some(host));
        let script = Agent::embedded(b"#!/bin/sh\nexec something\n", "d");
        assert_eq!(script.architecture(), None);
    }
}
