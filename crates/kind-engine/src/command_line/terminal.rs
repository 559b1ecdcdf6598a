//! Commands that get a terminal: the engine's program wants one of its own to hand on.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Child, ExitStatus};
use std::thread;

use kind_sys::process;
use kind_sys::terminal::Terminal;
use rustix::termios::{self, OptionalActions, Winsize};

use super::program::{self, Program};
use super::streams;
use crate::{Error, Io};

/// Wide enough for everything that programs draw in one line.
const WIDE: Winsize = Winsize {
    ws_row: 50,
    ws_col: 200,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

/// Runs the program on a terminal and returns its exit code. Its errors join its output.
pub(super) fn run_on_terminal(
    program: &Program,
    arguments: &[&str],
    io: Io<'_>,
) -> Result<i32, Error> {
    let size = termios::tcgetwinsize(io::stdin()).ok();
    let (mut child, mut controller) = start_on_terminal(program, arguments, size)?;
    let input = controller
        .try_clone()
        .map_err(Error::io("open a terminal"))?;
    let Io { stdin, stdout, .. } = io;
    let taken = thread::scope(|scope| {
        if let Some(stdin) = stdin {
            scope.spawn(move || feed_terminal(stdin, input));
        }
        read_output(&mut controller, |bytes| {
            stdout.write_all(bytes)?;
            stdout.flush()
        })
    });
    let status = program::wait_for_child(&mut child)?;
    taken.map_err(Error::io("relay the terminal"))?;
    Ok(status.code().unwrap_or(1))
}

/// Runs the program on a terminal that only `see` looks at.
pub(super) fn watch_terminal(
    program: &Program,
    arguments: &[&str],
    mut see: impl FnMut(&[u8]),
) -> Result<ExitStatus, Error> {
    let (mut child, mut controller) = start_on_terminal(program, arguments, Some(WIDE))?;
    let taken = read_output(&mut controller, |bytes| {
        see(bytes);
        Ok(())
    });
    let status = program::wait_for_child(&mut child)?;
    taken.map_err(Error::io("read a terminal"))?;
    Ok(status)
}

/// Starts the program on a terminal, and returns the terminal's other end.
fn start_on_terminal(
    program: &Program,
    arguments: &[&str],
    size: Option<Winsize>,
) -> Result<(Child, File), Error> {
    let terminal = Terminal::open().map_err(Error::io("open a terminal"))?;
    prepare_terminal(&terminal, size).map_err(Error::io("set up a terminal"))?;
    let mut command = program.bare_command(arguments);
    process::own_terminal(&mut command, &terminal.path).map_err(Error::io("open a terminal"))?;
    let child = command
        .spawn()
        .map_err(|error| program.unusable(arguments, &error))?;
    // Closed here, so that the terminal ends with the program.
    drop(command);
    Ok((child, File::from(terminal.controller)))
}

fn read_output(
    controller: &mut File,
    mut taker: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        // A terminal whose programs have ended answers with an error.
        let Ok(length @ 1..) = controller.read(&mut buffer) else {
            return Ok(());
        };
        taker(&buffer[..length])?;
    }
}

/// Every byte is for the node's terminal: what comes before the program has set up this one, too.
fn prepare_terminal(terminal: &Terminal, size: Option<Winsize>) -> io::Result<()> {
    let mut attributes = termios::tcgetattr(&terminal.controller)?;
    attributes.make_raw();
    termios::tcsetattr(&terminal.controller, OptionalActions::Now, &attributes)?;
    if let Some(size) = size {
        termios::tcsetwinsize(&terminal.controller, size)?;
    }
    Ok(())
}

fn feed_terminal(stdin: &mut (dyn Read + Send), mut terminal: File) {
    let fed = streams::copy_stream(stdin, &mut terminal);
    if fed.is_ok() {
        // The end of a terminal's input is a character.
        let _ = terminal.write_all(&[4]);
    }
}
