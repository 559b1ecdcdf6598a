//! What a node's first process has printed, from the log that its monitor writes.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use crate::Error;
use crate::native::state::{NodeDirectory, io_error};

/// Writes a node's log; with `follow`, what is added too, until the node does not run any more.
pub(super) fn copy_console_log(
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
