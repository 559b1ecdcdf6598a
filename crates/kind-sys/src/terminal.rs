//! Pseudo-terminals.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::pty::OpenptFlags;

/// A pseudo-terminal: what is written to the terminal at `path` comes out of `controller`.
#[derive(Debug)]
pub struct Terminal {
    /// The end that a program such as a terminal emulator or a log writer holds.
    pub controller: OwnedFd,
    /// The end that looks like a terminal.
    pub path: PathBuf,
}

impl Terminal {
    /// Makes a terminal in the `/dev/pts` that the process sees.
    pub fn open() -> io::Result<Self> {
        let controller =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&controller)?;
        rustix::pty::unlockpt(&controller)?;
        let path = rustix::pty::ptsname(&controller, Vec::new())?;
        let path = PathBuf::from(std::ffi::OsString::from_vec(path.into_bytes()));
        Ok(Self { controller, path })
    }
}

/// Opens a terminal without making it the controlling one.
pub fn open(path: &std::path::Path) -> io::Result<File> {
    const NOCTTY: i32 = rustix::fs::OFlags::NOCTTY.bits() as i32;
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(NOCTTY)
        .open(path)
}

/// Makes `terminal` the standard streams of the process and, in a new session, its controlling terminal.
pub fn take_over(terminal: impl AsFd) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::ioctl_tiocsctty(&terminal)?;
    standard_streams(terminal)
}

/// Makes `file` the standard streams of the process.
pub fn standard_streams(file: impl AsFd) -> io::Result<()> {
    rustix::stdio::dup2_stdin(&file)?;
    rustix::stdio::dup2_stdout(&file)?;
    Ok(rustix::stdio::dup2_stderr(&file)?)
}
