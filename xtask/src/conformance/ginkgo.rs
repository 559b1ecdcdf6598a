//! Running the tests with ginkgo, several at a time or one after the other.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::junit::Outcomes;
use super::suite::Suite;
use crate::Failure;
use crate::shell::say;

/// Time for the tests to end when they are asked to.
const GRACE: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// What ginkgo's second version says when one of its processes ended before its tests were through. With the first
/// that one's report is missing.
const LOST: [&str; 2] = ["disappeared before", "timed out waiting for all parallel"];

/// What all runs of the tests have in common.
pub(super) struct Ginkgo<'a> {
    pub(super) suite: &'a Suite,
    pub(super) kubeconfig: PathBuf,
    /// Where reports, logs and what tests leave go.
    pub(super) directory: &'a Path,
    /// Where the tests tell of their progress.
    pub(super) progress: String,
    pub(super) deadline: Instant,
    /// Set when the developer has enough.
    pub(super) interrupted: Arc<AtomicBool>,
}

/// Which tests run, and how.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    /// What the run is called.
    pub(super) name: &'a str,
    /// Regular expressions over the names of tests.
    pub(super) focus: &'a str,
    pub(super) skip: &'a str,
    /// Tests at a time.
    pub(super) parallel: usize,
}

impl Ginkgo<'_> {
    /// Runs tests to the end and returns how each ended, which are none if none is meant.
    ///
    /// # Errors
    /// The tests cannot be run, or were ended before they were through.
    pub(super) fn run(&self, selection: &Selection<'_>) -> Result<Outcomes, Failure> {
        let reports = self.directory.join(selection.name);
        let log = self.directory.join(format!("{}.log", selection.name));
        fs::create_dir_all(&reports)?;
        say(&format!("{} tests ... ({})", selection.name, log.display()));
        let file = File::create(&log)?;
        // Tests leave files where temporary ones go. Sockets among them must have short names.
        let temporary = tempfile::tempdir()?;
        let mut command = self.command(selection, &reports)?;
        command.env("TMPDIR", temporary.path());
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // What ends them is decided here.
            .process_group(0);
        let ended = self.wait(command.spawn()?)?;
        let outcomes = Outcomes::read(&reports)?;
        if !ended {
            let printed = fs::read(&log)?;
            let lost = LOST
                .iter()
                .any(|words| contains(&printed, words.as_bytes()));
            let all = fs::read_dir(&reports)?.count() >= self.suite.reports(selection.parallel);
            if lost || !all || outcomes.failures().count() == 0 {
                return Err(format!("not all of the tests ran; see {}", log.display()).into());
            }
        }
        Ok(outcomes)
    }

    fn command(&self, selection: &Selection<'_>, reports: &Path) -> Result<Command, Failure> {
        let home = self.directory.join("home");
        fs::create_dir_all(&home)?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut command = Command::new(self.suite.part("ginkgo"));
        command
            .args(self.suite.ginkgo_arguments(selection.parallel))
            .arg(format!("--focus={}", selection.focus))
            .arg(format!("--skip={}", selection.skip))
            .arg(format!("--timeout={}s", left.as_secs()))
            .arg(self.suite.part("e2e.test"))
            .arg("--")
            .args([
                "--provider=skeleton",
                "--disable-log-dump=true",
                "--num-nodes=2",
            ])
            .arg(format!("--kubeconfig={}", self.kubeconfig.display()))
            .arg(format!("--kubectl-path={}", self.suite.kubectl().display()))
            .arg(format!("--report-dir={}", reports.display()))
            .arg(format!("--e2e-output-dir={}", home.display()))
            .arg(format!("--progress-report-url={}", self.progress))
            .current_dir(&home)
            .env("HOME", &home)
            .env_remove("KUBECONFIG");
        for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(proxy).env_remove(proxy.to_uppercase());
        }
        Ok(command)
    }

    /// Whether all went well.
    fn wait(&self, mut child: Child) -> Result<bool, Failure> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status.success());
            }
            if let Some(reason) = self.reason_to_end() {
                end(&mut child)?;
                return Err(reason.into());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn reason_to_end(&self) -> Option<&'static str> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some("the tests were interrupted");
        }
        (Instant::now() > self.deadline).then_some("the tests took too long")
    }
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// Asks the tests to end and makes them.
fn end(child: &mut Child) -> Result<(), Failure> {
    let group = format!("-{}", child.id());
    // Whoever has ended already is not missed.
    let signal = |name: &str| {
        let mut kill = Command::new("kill");
        kill.args([name, "--", &group])
            .stderr(Stdio::null())
            .status()
    };
    signal("-INT")?;
    let deadline = Instant::now() + GRACE;
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        std::thread::sleep(POLL_INTERVAL);
    }
    // Its processes too, which may hang where it has ended.
    signal("-KILL")?;
    child.wait()?;
    Ok(())
}

/// A regular expression that matches these names, and others that hold one of them.
pub(super) fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(quote).collect();
    names.join("|")
}

fn quote(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for character in name.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_as_they_are() {
        let names = ["[sig-node] a (b) [It]", "c.d"];
        let expected = r"\[sig-node\] a \(b\) \[It\]|c\.d";
        assert_eq!(any_of(names.into_iter()), expected);
    }
}
