//! Whether an engine still answers: the simplest question there is, asked while a call is silent.
//!
//! What is learned is shared by all calls of a process: several that are silent at once ask once, and after an engine
//! has been given up no call waits as long for it again.

use std::io;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::FailureReason;
use super::mutex::lock_mutex;

/// How long silence is nothing to speak of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// A call that has said nothing for so long makes the engine be asked.
    pub(super) silence: Duration,
    /// How long an engine may take for its answer at least.
    pub(super) answer: Duration,
}

/// Together they are less than ten seconds.
pub(super) const USUAL: Patience = Patience {
    silence: Duration::from_secs(3),
    answer: Duration::from_secs(6),
};
/// How many times longer than its slowest answer so far it may take: machines are not equally fast.
const SLOWNESS: u32 = 8;
/// How long an engine that was given up may take.
const SECOND_CHANCE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long nobody asks again after that.
const REST: Duration = Duration::from_secs(5);

/// What is known of an engine's answers.
#[derive(Debug)]
pub(super) struct Liveness {
    /// The program and its arguments that ask; none where nobody can be asked.
    question: Vec<String>,
    patience: Patience,
    known: Mutex<Known>,
    /// Held by who asks.
    asking: Mutex<()>,
}

#[derive(Debug)]
struct Known {
    /// When the engine last gave a sign of life.
    last_sign: Instant,
    slowest_answer: Duration,
    /// When it was last found not to answer, and how.
    given_up: Option<(Instant, Pulse)>,
}

/// What became of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pulse {
    /// The engine answers.
    Beats,
    /// It does not within this time.
    Silent(Duration),
    /// Nobody is there to answer: what the program said.
    Gone(String),
}

impl Liveness {
    /// An engine that is asked by this program with these arguments.
    pub(super) fn new(question: Vec<String>, patience: Patience) -> Self {
        Self {
            question,
            patience,
            known: Mutex::new(Known {
                last_sign: Instant::now(),
                slowest_answer: Duration::ZERO,
                given_up: None,
            }),
            asking: Mutex::default(),
        }
    }

    /// The question as a shell would take it.
    pub(super) fn question(&self) -> String {
        self.question.join(" ")
    }

    /// How long a call may be silent before the engine is asked.
    pub(super) fn silence(&self) -> Duration {
        self.patience.silence
    }

    /// Notes that the engine has just said something.
    pub(super) fn note_sign(&self) {
        let mut known = lock_mutex(&self.known);
        known.last_sign = Instant::now();
        known.given_up = None;
    }

    /// Notes how long the engine took for a simple answer.
    pub(super) fn note_answer(&self, took: Duration) {
        self.note_sign();
        let mut known = lock_mutex(&self.known);
        known.slowest_answer = known.slowest_answer.max(took);
    }

    /// Whether it answers, as far as is known or can be asked.
    pub(super) fn ask(&self) -> Pulse {
        let _asking = lock_mutex(&self.asking);
        let age = lock_mutex(&self.known).last_sign.elapsed();
        if self.question.is_empty() || age < self.patience.silence {
            return Pulse::Beats;
        }
        self.ask_within(self.timeout())
    }

    /// Whether it answers now, whatever it has said before.
    pub(super) fn ask_anew(&self) -> Pulse {
        let _asking = lock_mutex(&self.asking);
        self.ask_within(self.timeout())
    }

    /// What is to be thought of an engine before it is called: one that was given up is asked first.
    pub(super) fn ask_before_call(&self) -> Pulse {
        if lock_mutex(&self.known).given_up.is_none() {
            return Pulse::Beats;
        }
        let _asking = lock_mutex(&self.asking);
        let given_up = lock_mutex(&self.known).given_up.clone();
        match given_up {
            None => Pulse::Beats,
            Some((then, pulse)) if then.elapsed() < REST => pulse,
            Some(_) => self.ask_within(SECOND_CHANCE_TIMEOUT),
        }
    }

    /// How long an answer may take.
    fn timeout(&self) -> Duration {
        let known = lock_mutex(&self.known);
        if known.given_up.is_some() {
            SECOND_CHANCE_TIMEOUT
        } else {
            self.patience.answer.max(known.slowest_answer * SLOWNESS)
        }
    }

    fn ask_within(&self, limit: Duration) -> Pulse {
        let began = Instant::now();
        let pulse = match ask_program(&self.question, limit) {
            Ok(Some(output)) => read_answer(&output),
            Ok(None) => Pulse::Silent(limit),
            // That its program cannot be started now says nothing of the engine.
            Err(_) => Pulse::Beats,
        };
        tracing::debug!(question = self.question(), ?pulse, "an engine is silent");
        if pulse == Pulse::Beats {
            self.note_answer(began.elapsed());
            return pulse;
        }
        let mut known = lock_mutex(&self.known);
        // Another call may have heard of it meanwhile.
        if known.last_sign > began {
            return Pulse::Beats;
        }
        known.given_up = Some((Instant::now(), pulse.clone()));
        pulse
    }
}

/// Any answer is one, also that the question is not understood.
fn read_answer(output: &Output) -> Pulse {
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && FailureReason::of_output(&text) == FailureReason::NoDaemon {
        Pulse::Gone(text.trim().to_owned())
    } else {
        Pulse::Beats
    }
}

fn ask_program(question: &[String], limit: Duration) -> io::Result<Option<Output>> {
    let Some((name, arguments)) = question.split_first() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let mut command = Command::new(name);
    command.args(arguments);
    #[cfg(target_os = "linux")]
    kind_sys::process::die_with_parent(&mut command);
    output_within(command, limit)
}

/// How a program ended and what it printed, if it ends in time; otherwise it is ended, with all that it has started.
pub(super) fn output_within(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn()?;
    let group = child.id();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(limit) {
        Ok(output) => output.map(Some),
        Err(_) => {
            end_group(group);
            Ok(None)
        }
    }
}

/// Ends a program and all that it has started; whoever waits for it hears of it.
pub(super) fn end_group(group: u32) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(group)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = group;
}

#[cfg(test)]
mod tests {
    use super::super::stub;
    use super::*;

    /// An engine of this script, whose word is always too old, and the directory that it lies in.
    fn engine(script: &str) -> (Liveness, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let program = stub::program(directory.path(), script);
        let patience = Patience {
            silence: Duration::ZERO,
            ..USUAL
        };
        (Liveness::new(vec![program], patience), directory)
    }

    #[test]
    fn an_engine_that_says_anything_answers() {
        for script in ["exit 0", "echo what? >&2; exit 125"] {
            assert_eq!(engine(script).0.ask(), Pulse::Beats);
        }
        let none = Liveness::new(Vec::new(), USUAL);
        assert_eq!(none.ask(), Pulse::Beats);
        assert_eq!(none.question(), "");
    }

    #[test]
    fn an_engine_that_is_gone_is_told_with_its_programs_words() {
        let words =
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?";
        let (liveness, _directory) = engine(&format!("echo '{words}' >&2; exit 1"));
        let gone = Pulse::Gone(words.to_owned());
        assert_eq!(liveness.ask(), gone);
        assert_eq!(liveness.ask_before_call(), gone);
    }

    #[test]
    fn an_engine_that_was_given_up_is_not_waited_for_again() {
        let (liveness, _directory) = engine("exec sleep 600");
        assert_eq!(liveness.ask_before_call(), Pulse::Beats);
        let hangs = liveness.ask_within(Duration::from_millis(50));
        assert_eq!(hangs, Pulse::Silent(Duration::from_millis(50)));
        let began = Instant::now();
        assert!(matches!(liveness.ask_before_call(), Pulse::Silent(_)));
        assert!(began.elapsed() < SECOND_CHANCE_TIMEOUT);
        assert_eq!(liveness.timeout(), SECOND_CHANCE_TIMEOUT);
        liveness.note_sign();
        assert_eq!(liveness.ask_before_call(), Pulse::Beats);
    }

    #[test]
    fn slow_machines_have_more_time() {
        let liveness = Liveness::new(Vec::new(), USUAL);
        assert_eq!(liveness.timeout(), USUAL.answer);
        liveness.note_answer(Duration::from_secs(2));
        assert_eq!(liveness.timeout(), Duration::from_secs(16));
        assert!(USUAL.silence + USUAL.answer < Duration::from_secs(10));
    }

    #[test]
    fn what_was_just_heard_needs_no_question() {
        let (_, directory) = engine("touch \"$0-asked\"");
        let program = directory.path().join("engine").display().to_string();
        let liveness = Liveness::new(vec![program.clone()], USUAL);
        assert_eq!(liveness.ask(), Pulse::Beats);
        assert!(!std::path::Path::new(&format!("{program}-asked")).exists());
    }
}
