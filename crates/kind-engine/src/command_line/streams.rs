//! Programs whose input or output is a stream.

use std::io::{self, Read, Write};
use std::process::Stdio;

use kind_image::concurrent::run_both;

use super::program::Program;
use super::watchdog::{Call, Heard};
use crate::Error;

/// How much of what a program says beside its stream is kept for a failure.
const MAX_OUTPUT: usize = 64 * 1024;

/// Gives a program this input.
pub(super) fn stream_into(
    program: &Program,
    arguments: &[&str],
    input: &mut (dyn Read + Send),
) -> Result<(), Error> {
    let mut command = program.command(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut call = program.begin(command, arguments)?;
    let stdin = call.child.stdin.take().map(|stream| call.hear(stream));
    let stdout = call.child.stdout.take().map(|stream| call.hear(stream));
    let stderr = call.child.stderr.take().map(|stream| call.hear(stream));
    // Dropped at the end, which is how the program learns of it.
    let feed = || stdin.map_or(Ok(()), |mut stdin| copy_stream(input, &mut stdin).map(drop));
    let (errors, (output, fed)) = run_both(
        || read_tail(stderr),
        || run_both(|| read_tail(stdout), feed),
    );
    let printed = [output, errors].concat();
    let status = program.end(call, arguments)?;
    if !status.success() {
        program.check_engine(arguments)?;
        // The program's own words say more than the pipe that it closed.
        return Err(program.ended_badly(arguments, &status.to_string(), &printed));
    }
    match fed {
        // It had read all that it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        fed => fed.map_err(Error::io(format!("give {} its input", arguments.join(" ")))),
    }
}

/// Takes a program's output.
pub(super) fn stream_out(
    program: &Program,
    arguments: &[&str],
    output: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let mut command = program.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut call = program.begin(command, arguments)?;
    let stdout = call.child.stdout.take().map(|stream| call.hear(stream));
    let stderr = call.child.stderr.take().map(|stream| call.hear(stream));
    // Dropped when the taker wants no more, which ends the program.
    let take = || {
        stdout.map_or(Ok(()), |mut stdout| {
            copy_stream(&mut stdout, output).map(drop)
        })
    };
    let (printed, taken) = run_both(|| read_tail(stderr), take);
    finish_program(program, arguments, call, taken, &printed)
}

/// Takes a program's output and errors as one stream, in the order in which they were written.
pub(super) fn stream_all(
    program: &Program,
    arguments: &[&str],
    output: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let (mut call, mut reader) = merge_streams(program, arguments)?;
    let mut tee = Tee {
        last: Vec::new(),
        out: output,
    };
    let taken = copy_stream(&mut reader, &mut tee).map(drop);
    let printed = tee.last;
    drop(reader);
    if taken.is_err() {
        // A program that says nothing more would not notice that nobody listens.
        let _ = call.child.kill();
    }
    finish_program(program, arguments, call, taken, &printed)
}

/// How a program ended whose output was taken.
fn finish_program(
    program: &Program,
    arguments: &[&str],
    call: Call,
    taken: io::Result<()>,
    printed: &[u8],
) -> Result<(), Error> {
    let status = program.end(call, arguments)?;
    let action = format!("take the output of {}", arguments.join(" "));
    taken.map_err(Error::io(action))?;
    if status.success() {
        return Ok(());
    }
    program.check_engine(arguments)?;
    Err(program.ended_badly(arguments, &status.to_string(), printed))
}

/// Starts a program whose output and errors come out of one pipe.
pub(super) fn merge_streams(
    program: &Program,
    arguments: &[&str],
) -> Result<(Call, Heard<io::PipeReader>), Error> {
    let action = || Error::io("open a pipe");
    let (reader, writer) = io::pipe().map_err(action())?;
    let other = writer.try_clone().map_err(action())?;
    let mut command = program.command(arguments);
    command.stdout(writer).stderr(other);
    // The command holds the pipe's other ends, and goes with it.
    let call = program.begin(command, arguments)?;
    let reader = call.hear(reader);
    Ok((call, reader))
}

/// Carries bytes as they come, so that what a program prints is seen at once. Returns how many.
pub(super) fn copy_stream(
    from: &mut (impl Read + ?Sized),
    to: &mut (impl Write + ?Sized),
) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut carried = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => {
                to.flush()?;
                return Ok(carried);
            }
            Ok(length) => {
                to.write_all(&buffer[..length])?;
                carried += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The last of what a stream holds.
pub(super) fn read_tail(stream: Option<impl Read>) -> Vec<u8> {
    let mut sink = io::sink();
    let mut tee = Tee {
        last: Vec::new(),
        out: &mut sink,
    };
    if let Some(mut stream) = stream {
        // What could be read until the failure is all there is to tell.
        let _ = copy_stream(&mut stream, &mut tee);
    }
    tee.last
}

/// A program's errors, for the caller and for a failure of the engine itself.
pub(super) fn collect_errors(
    stderr: Option<impl Read>,
    out: &mut (dyn Write + Send),
) -> (io::Result<u64>, Vec<u8>) {
    let mut tee = Tee {
        last: Vec::new(),
        out,
    };
    let carried = stderr.map_or(Ok(0), |mut stderr| copy_stream(&mut stderr, &mut tee));
    (carried, tee.last)
}

/// Hands everything on and keeps the last of it.
struct Tee<'a> {
    last: Vec<u8>,
    out: &'a mut (dyn Write + Send),
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.last.extend_from_slice(&bytes[..written]);
        let excess = self.last.len().saturating_sub(MAX_OUTPUT);
        self.last.drain(..excess);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Program {
        Program::new("sh")
    }

    #[test]
    fn a_stream_goes_in_and_comes_out() {
        let big = vec![7; 1 << 20];
        stream_into(&shell(), &["-c", "test $(wc -c) = 1048576"], &mut &big[..]).unwrap();
        let mut taken = Vec::new();
        stream_out(&shell(), &["-c", "printf abc; echo noise >&2"], &mut taken).unwrap();
        assert_eq!(taken, b"abc");
    }

    #[test]
    fn a_program_that_fails_is_told_with_its_words() {
        let big = vec![7; 1 << 20];
        let script = "echo no >&2; exit 2";
        let error = stream_into(&shell(), &["-c", script], &mut &big[..]).unwrap_err();
        assert_eq!(error.output(), Some("no\n"));
        let error = stream_out(&shell(), &["-c", script], &mut Vec::new()).unwrap_err();
        assert_eq!(error.output(), Some("no\n"));
        let mut taken = Vec::new();
        let error =
            stream_all(&shell(), &["-c", "echo a; echo b >&2; exit 1"], &mut taken).unwrap_err();
        assert_eq!(error.output(), Some("a\nb\n"));
        assert_eq!(taken, b"a\nb\n");
    }

    #[test]
    fn a_program_that_reads_nothing_is_not_waited_for() {
        let big = vec![7; 1 << 20];
        stream_into(&shell(), &["-c", "exit 0"], &mut &big[..]).unwrap();
    }

    #[test]
    fn nobody_listening_ends_a_stream() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(stream_all(&shell(), &["-c", "echo a; exec sleep 600"], &mut Full).is_err());
    }
}
