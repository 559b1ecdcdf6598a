//! Commands in a running node, from the helper's side: it enters the node and runs one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command};

use kind_sys::namespace;
use kind_sys::process::{self, Pid};
use kind_sys::terminal::Terminal;
use rustix::event::{PollFd, PollFlags};

use crate::Error;
use crate::native::call::ExecRequest;
use crate::native::cgroups;
use crate::native::record::{NodeRecord, first_process};
use crate::native::state::State;

/// Exit codes that shells use for a program that cannot be executed, and for one that does not exist.
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Runs a command in a node.
pub(in crate::native) fn exec_in_node(
    state: &State,
    name: &str,
    request: &ExecRequest,
) -> Result<i32, Error> {
    let directory = state.node(name);
    let record = NodeRecord::load(&directory)?;
    let first = first_process(&directory, name)?;
    cgroups::node_group(state, name)?
        .add_command(rustix::process::getpid())
        .map_err(Error::io(format!("join the cgroups of node {name}")))?;
    namespace::enter_node(first).map_err(Error::io(format!("enter node {name}")))?;

    let [program, arguments @ ..] = request.argv.as_slice() else {
        return Ok(0);
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&record.env)
        .envs(&request.env)
        .current_dir("/");
    process::die_with_parent(&mut command);
    let spawned = if request.tty {
        spawn_on_terminal(&mut command)
    } else {
        command.spawn().map(|child| (child, None))
    };
    let (child, terminal) = match spawned {
        Ok(spawned) => spawned,
        Err(error) => return Ok(explain_failure(program, &error)),
    };
    // The helper's own ends are closed, so that only the program keeps the streams open.
    drop(command);
    if let Some(terminal) = terminal {
        relay_terminal(terminal).map_err(Error::io("relay the terminal"))?;
    }
    process::wait_for_child(Pid::from_child(&child)).map_err(Error::io("wait for the command"))
}

fn explain_failure(program: &str, error: &io::Error) -> i32 {
    // On the stream where the program's own words would be.
    let _ = writeln!(io::stderr(), "{program}: {error}");
    match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_EXECUTABLE,
    }
}

fn spawn_on_terminal(command: &mut Command) -> io::Result<(Child, Option<Terminal>)> {
    let terminal = Terminal::open()?;
    if let Ok(size) = rustix::termios::tcgetwinsize(io::stdin()) {
        rustix::termios::tcsetwinsize(&terminal.controller, size)?;
    }
    let child = process::own_terminal(command, &terminal.path)?.spawn()?;
    Ok((child, Some(terminal)))
}

/// Carries bytes between the helper's streams and a terminal until the terminal's programs have ended.
/// In one thread: a process that has entered a pid namespace cannot start any.
fn relay_terminal(terminal: Terminal) -> io::Result<()> {
    let mut terminal = File::from(terminal.controller);
    let mut input = Some(io::stdin());
    let mut buffer = [0; 16 * 1024];
    loop {
        let mut ready = vec![PollFd::new(&terminal, PollFlags::IN)];
        if let Some(input) = &input {
            ready.push(PollFd::new(input, PollFlags::IN));
        }
        rustix::event::poll(&mut ready, None)?;
        let happened: Vec<_> = ready.iter().map(|fd| !fd.revents().is_empty()).collect();
        if happened.get(1) == Some(&true) {
            let read = rustix::io::read(io::stdin().as_fd(), &mut buffer).unwrap_or(0);
            match read {
                // The end of a terminal's input is a character.
                0 => {
                    input = None;
                    terminal.write_all(&[4])?;
                }
                length => terminal.write_all(&buffer[..length])?,
            }
        }
        if happened[0] {
            // EIO: no program has the terminal open any more.
            let Ok(length @ 1..) = terminal.read(&mut buffer) else {
                return Ok(());
            };
            io::stdout().write_all(&buffer[..length])?;
            io::stdout().flush()?;
        }
    }
}
