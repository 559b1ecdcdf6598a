//! Work that goes on at once, all of it awaited. A panic of any of it is the caller's.

use std::io::{self, PipeReader, PipeWriter};
use std::thread::{self, ScopedJoinHandle};

/// Does two things at once, the first one in a thread of its own, and returns what came of both.
pub fn run_both<A: Send, B>(beside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        (join_thread(beside), here)
    })
}

/// Gives what one thing writes to another that reads it, and returns what came of both. Each end of the pipe is
/// closed when its user is done, so that neither waits for one that has failed.
///
/// # Errors
/// The kernel has no pipe to give.
pub fn run_piped<W: Send, R>(
    write: impl FnOnce(PipeWriter) -> W + Send,
    read: impl FnOnce(PipeReader) -> R,
) -> io::Result<(W, R)> {
    let (reader, writer) = io::pipe()?;
    Ok(run_both(move || write(writer), move || read(reader)))
}

/// Does the same for every item at once, and returns what came of each in their order.
pub fn run_each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work = &work;
    match items {
        [only] => vec![work(only)],
        _ => thread::scope(|scope| {
            let running = items.iter().map(|item| scope.spawn(move || work(item)));
            let running: Vec<_> = running.collect();
            running.into_iter().map(join_thread).collect()
        }),
    }
}

fn join_thread<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    let ended = thread.join();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::panic;

    use super::*;

    #[test]
    fn a_writer_does_not_wait_for_a_reader_that_has_failed() {
        let write = |mut writer: PipeWriter| writer.write_all(&[0; 1 << 20]);
        let (written, ()) = run_piped(write, drop).unwrap();
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let read = |mut reader: PipeReader| io::copy(&mut reader.by_ref().take(1), &mut io::sink());
        let (written, read) = run_piped(write, read).unwrap();
        assert_eq!((written.is_err(), read.unwrap()), (true, 1));
    }

    #[test]
    fn results_keep_the_order() {
        assert_eq!(run_each(&[1, 2, 3], |n| n * 2), [2, 4, 6]);
        assert!(run_each(&[] as &[i32], |n| *n).is_empty());
    }

    #[test]
    fn a_panic_is_the_callers() {
        let failed = panic::catch_unwind(|| run_both(|| panic!("there"), || ()));
        assert_eq!(*failed.unwrap_err().downcast::<&str>().unwrap(), "there");
    }
}
