//! A command that meets a fault.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kind_e2e::limit;

use crate::Failure;

/// Seconds after which a command is asked to end that goes on.
const PATIENCE: u64 = 300;
/// Seconds that it then has for cleaning up.
const GRACE: u64 = 60;

/// How a command ended.
pub(super) struct Ended {
    /// Everything it said, what it printed last.
    pub(super) text: String,
    pub(super) code: Option<i32>,
    pub(super) elapsed: Duration,
}

/// Runs a command to its end.
pub(super) fn run(mut command: Command) -> Result<Ended, Failure> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let parts = [read(child.stderr.take()), read(child.stdout.take())];
    let code = wait(&mut child)?;
    let elapsed = began.elapsed();
    let text = parts.map(|part| part.join().unwrap_or_default()).concat();
    Ok(Ended {
        text,
        code,
        elapsed,
    })
}

/// Its exit code; who does not end is interrupted, and who does not heed that is killed.
fn wait(child: &mut Child) -> Result<Option<i32>, Failure> {
    if let Some(status) = ended_within(child, limit(PATIENCE))? {
        return Ok(status.code());
    }
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status()?;
    if let Some(status) = ended_within(child, limit(GRACE))? {
        return Ok(status.code());
    }
    child.kill()?;
    Ok(child.wait()?.code())
}

fn ended_within(child: &mut Child, time: Duration) -> Result<Option<ExitStatus>, Failure> {
    let deadline = Instant::now() + time;
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() > deadline {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What came before a failure is what was said.
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
