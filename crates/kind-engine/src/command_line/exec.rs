//! Commands in a running node.

use std::io::{self, Read, Write};
use std::process::Stdio;
use std::thread;

use kind_image::concurrent::run_both;

use super::environment::variable_arguments;
use super::program::Program;
use super::streams;
use crate::{Command, Error, Io};

/// How engines say that they could not even try, with the code of a command that failed.
const NOT_TRIED: [&str; 6] = [
    "Error response from daemon:",
    "Error: No such container:",
    "Cannot connect to the Docker daemon",
    "Error: can only create exec sessions on running containers",
    "Error: no container with name or ID",
    "no such container",
];

/// Runs a command in a node and returns its exit code.
pub(super) fn exec_command(
    program: &Program,
    node: &str,
    command: &Command,
    io: Io<'_>,
) -> Result<i32, Error> {
    let arguments = exec_arguments(node, command, io.stdin.is_some());
    let program = &program.with_secrets(&command.env);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    #[cfg(target_os = "linux")]
    if command.tty {
        return super::terminal::run_on_terminal(program, &arguments, io);
    }
    let Io {
        stdin,
        stdout,
        stderr,
    } = io;
    let mut process = program.command(&arguments);
    if stdin.is_some() {
        process.stdin(Stdio::piped());
    }
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut call = program.begin(process, &arguments)?;
    let to = call.child.stdin.take().map(|stream| call.hear(stream));
    let from = call.child.stdout.take().map(|stream| call.hear(stream));
    let errors = call.child.stderr.take().map(|stream| call.hear(stream));
    let (carried, complaints) = thread::scope(|scope| {
        if let (Some(input), Some(mut to)) = (stdin, to) {
            // The command may end without reading everything.
            scope.spawn(move || drop(feed_stdin(input, &mut to)));
        }
        let ((complained, complaints), carried) = run_both(
            || streams::collect_errors(errors, stderr),
            || from.map_or(Ok(0), |mut from| streams::copy_stream(&mut from, stdout)),
        );
        (carried.and(complained), complaints)
    });
    let status = program.end(call, &arguments)?;
    carried.map_err(Error::io(format!(
        "carry the streams of a command in {node}"
    )))?;
    let complaints_text = String::from_utf8_lossy(&complaints);
    let tried = !NOT_TRIED
        .iter()
        .any(|words| complaints_text.trim_start().starts_with(words));
    match status.code() {
        Some(0) => Ok(0),
        Some(code) if tried => program.check_engine(&arguments).map(|()| code),
        _ => Err(program.ended_badly(&arguments, &status.to_string(), &complaints)),
    }
}

fn feed_stdin(input: &mut (dyn Read + Send), to: &mut impl Write) -> io::Result<u64> {
    streams::copy_stream(input, to)
}

fn exec_arguments(node: &str, command: &Command, input: bool) -> Vec<String> {
    let mut arguments: Vec<String> = ["exec", "--privileged"].map(str::to_owned).into();
    if input {
        arguments.push("-i".to_owned());
    }
    if command.tty {
        arguments.push("-t".to_owned());
    }
    arguments.extend(variable_arguments(&command.env));
    arguments.push(node.to_owned());
    arguments.extend(command.argv.iter().cloned());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_asked_for() {
        let mut command = Command::new(["cat", "-"]);
        assert_eq!(
            exec_arguments("n", &command, false),
            ["exec", "--privileged", "n", "cat", "-"]
        );
        command.env.insert("A".to_owned(), "b c".to_owned());
        command.tty = true;
        let asked = exec_arguments("n", &command, true).join(" ");
        assert_eq!(asked, "exec --privileged -i -t -e A=b c n cat -");
    }
}
