//! Commands that get a terminal: the engine's program wants one of its own to hand on.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::ExitStatus;
use std::thread;

use kind_sys::process;
use kind_sys::terminal::Terminal;
use rustix::termios::{self, OptionalActions, Winsize};

use super::program::Program;
use super::streams;
use super::watchdog::{Call, Heard};
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
    let (call, controller) = start_on_terminal(program, arguments, size)?;
    let input = controller
        .try_clone()
        .map_err(Error::io("open a terminal"))?;
    let mut controller = call.hear(controller);
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
    let status = program.end(call, arguments)?;
    taken.map_err(Error::io("relay the terminal"))?;
    Ok(status.code().unwrap_or(1))
}

/// Runs the program on a terminal that only `see` looks at.
pub(super) fn watch_terminal(
    program: &Program,
    arguments: &[&str],
    mut see: impl FnMut(&[u8]),
) -> Result<ExitStatus, Error> {
    let (call, controller) = start_on_terminal(program, arguments, Some(WIDE))?;
    let mut controller = call.hear(controller);
    let taken = read_output(&mut controller, |bytes| {
        see(bytes);
        Ok(())
    });
    let status = program.end(call, arguments)?;
    taken.map_err(Error::io("read a terminal"))?;
    Ok(status)
}

/// Starts the program on a terminal, and returns the terminal's other end.
fn start_on_terminal(
    program: &Program,
    arguments: &[&str],
    size: Option<Winsize>,
) -> Result<(Call, File), Error> {
    let terminal = Terminal::open().map_err(Error::io("open a terminal"))?;
    prepare_terminal(&terminal, size).map_err(Error::io("set up a terminal"))?;
    let mut command = program.bare_command(arguments);
    process::own_terminal(&mut command, &terminal.path).map_err(Error::io("open a terminal"))?;
    // The command holds the program's end of the terminal, and goes with it.
    let call = program.begin(command, arguments)?;
    Ok((call, File::from(terminal.controller)))
}

fn read_output(
    controller: &mut Heard<File>,
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
