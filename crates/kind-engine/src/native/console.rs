//! A node's console: what its first process prints goes to the node's log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use super::state::{NodeDirectory, io_error};
use crate::Error;

/// Bytes after which the log starts anew; the text before is kept once, as `log.1`.
const LIMIT: u64 = 16 << 20;

/// Copies from the console to the log until the console is gone. Runs in a thread of the monitor.
pub(super) fn copy(controller: OwnedFd, log: &Path) -> io::Result<()> {
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
        if size > LIMIT {
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

/// Writes a node's log; with `follow`, what is added too, until the node does not run any more.
pub(super) fn logs(
    directory: &NodeDirectory,
    follow: bool,
    out: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let path = directory.file("log");
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !follow => return Ok(()),
        Err(error) => return Err(io_error("open", &path)(error)),
    };
    loop {
        // Asked before reading, so that the last words of a node are not missed.
        let running = directory.is_running();
        io::copy(&mut file, out).map_err(io_error("read", &path))?;
        if !(follow && running) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
