//! A node's console: what its first process prints goes to the node's log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Bytes after which the log starts anew; the text before is kept once, as `log.1`.
const MAX_LOG_SIZE: u64 = 16 << 20;

/// Copies from the console to the log until the console is gone. Runs in a thread of the monitor.
pub(super) fn copy_console(controller: OwnedFd, log: &Path) -> io::Result<()> {
    let mut console = File::from(controller);
    let mut file = open_log(log)?;
    let mut size = file.metadata()?.len();
    let mut buffer = [0; 8192];
    loop {
        let length = match console.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if size > MAX_LOG_SIZE {
            std::fs::rename(log, log.with_extension("1"))?;
            file = open_log(log)?;
            size = 0;
        }
        // A full disk must not stop the node, which would block on its console.
        let _ = file.write_all(&buffer[..length]);
        size += length as u64;
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
