//! What a target may cost for any input: memory and time are a part of what must hold.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// A function that must hold for any input.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    run: fn(&[u8]),
    /// Bytes that an input may cost.
    memory: u64,
    time: Duration,
}

/// The input that is being tried, and when it has taken too long.
static RUNNING: Mutex<Option<(Vec<u8>, Instant)>> = Mutex::new(None);

/// Where an input that fails is kept.
const ARTIFACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/artifacts");

impl Target {
    /// A target that may cost as much as any input of kind.
    pub(crate) const fn new(name: &'static str, run: fn(&[u8])) -> Self {
        Self {
            name,
            run,
            memory: 64 << 20,
            time: Duration::from_secs(10),
        }
    }

    /// Tries an input.
    ///
    /// # Panics
    /// Something does not hold, or the input costs too much. One that takes far too long ends the process. The input
    /// is a file in `artifacts/` then.
    pub fn check(&self, data: &[u8]) {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| drop(std::thread::spawn(watch)));
        set_running(Some((data.to_vec(), Instant::now() + self.time * 3)));
        let before = reset_peak();
        let begun = Instant::now();
        let guard = KeepInput;
        (self.run)(data);
        let (took, cost) = (
            begun.elapsed(),
            read_status("VmHWM:").saturating_sub(before),
        );
        assert!(took <= self.time, "{} took {took:?}", self.name);
        assert!(cost <= self.memory, "{} cost {} MiB", self.name, cost >> 20);
        drop(guard);
        set_running(None);
    }
}

/// Keeps the input if what is done with it panics.
struct KeepInput;

impl Drop for KeepInput {
    fn drop(&mut self) {
        if std::thread::panicking() {
            keep_input();
        }
    }
}

fn set_running(running: Option<(Vec<u8>, Instant)>) {
    *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = running;
}

fn watch() {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let late = running
            .as_ref()
            .is_some_and(|(_, end)| Instant::now() > *end);
        drop(running);
        if late {
            keep_input();
            std::process::abort();
        }
    }
}

fn keep_input() {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((data, _)) = &*running {
        let path = Path::new(ARTIFACTS).join(std::process::id().to_string());
        let kept = fs::create_dir_all(ARTIFACTS).and_then(|()| fs::write(&path, data));
        assert!(kept.is_ok(), "cannot keep the input");
    }
}

/// Begins to look for the peak of memory anew, and gives what is in use.
fn reset_peak() -> u64 {
    // Of processes that may not, the peak is that of all inputs so far, which is the stricter limit.
    let _ = fs::write("/proc/self/clear_refs", "5");
    read_status("VmRSS:")
}

fn read_status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_costs_too_much_fails() {
        let spend = |data: &[u8]| drop(vec![1_u8; data.len() << 20]);
        let target = Target::new("spends", spend);
        target.check(&[0; 8]);
        let failed = std::panic::catch_unwind(|| target.check(&[0; 100]));
        assert!(failed.is_err());
        let slow = Target {
            time: Duration::from_millis(1),
            ..Target::new("slow", |_| std::thread::sleep(Duration::from_millis(2)))
        };
        assert!(std::panic::catch_unwind(|| slow.check(b"")).is_err());
        set_running(None);
        let kept = Path::new(ARTIFACTS).join(std::process::id().to_string());
        fs::remove_file(kept).unwrap();
    }
}
