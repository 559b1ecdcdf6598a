//! Commands that get a terminal: the engine's program wants one of its own to hand on.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;

use kind_sys::process;
use kind_sys::terminal::Terminal;
use rustix::termios::{self, OptionalActions};

use super::program::Program;
use super::streams;
use crate::{Error, Io};

/// Runs the program on a terminal and returns its exit code. Its errors join its output.
pub(super) fn run(program: &Program, arguments: &[&str], io: Io<'_>) -> Result<i32, Error> {
    let terminal = Terminal::open().map_err(Error::io("open a terminal"))?;
    prepare(&terminal).map_err(Error::io("set up a terminal"))?;
    let mut command = program.bare(arguments);
    process::own_terminal(&mut command, &terminal.path).map_err(Error::io("open a terminal"))?;
    let mut child = command
        .spawn()
        .map_err(|error| program.unusable(arguments, &error))?;
    // Closed here, so that the terminal ends with the program.
    drop(command);
    let mut controller = File::from(terminal.controller);
    let input = controller
        .try_clone()
        .map_err(Error::io("open a terminal"))?;
    let Io { stdin, stdout, .. } = io;
    let taken = thread::scope(|scope| {
        if let Some(stdin) = stdin {
            scope.spawn(move || feed(stdin, input));
        }
        let mut buffer = [0; 16 * 1024];
        loop {
            // A terminal whose programs have ended answers with an error.
            let Ok(length @ 1..) = controller.read(&mut buffer) else {
                return stdout.flush();
            };
            stdout.write_all(&buffer[..length])?;
            stdout.flush()?;
        }
    });
    let status = streams::wait(&mut child)?;
    taken.map_err(Error::io("relay the terminal"))?;
    Ok(status.code().unwrap_or(1))
}

/// Every byte is for the node's terminal: what comes before the program has set up this one, too.
fn prepare(terminal: &Terminal) -> std::io::Result<()> {
    let mut attributes = termios::tcgetattr(&terminal.controller)?;
    attributes.make_raw();
    termios::tcsetattr(&terminal.controller, OptionalActions::Now, &attributes)?;
    if let Ok(size) = termios::tcgetwinsize(std::io::stdin()) {
        termios::tcsetwinsize(&terminal.controller, size)?;
    }
    Ok(())
}

fn feed(stdin: &mut (dyn Read + Send), mut terminal: File) {
    let fed = streams::carry(stdin, &mut terminal);
    if fed.is_ok() {
        // The end of a terminal's input is a character.
        let _ = terminal.write_all(&[4]);
    }
}
