//! Somebody who watches the cluster, and watches again whenever the watch ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::world::World;

/// A running `kubectl get configmaps --watch` and the names that it has told.
pub(crate) struct Watcher {
    seen: Arc<Mutex<BTreeSet<String>>>,
    current: Arc<Mutex<Child>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    pub(crate) fn start(world: &World) -> Self {
        let mut command = world
            .kind
            .kubectl(&["get", "configmaps", "--watch", "-o", "name"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let seen = Arc::<Mutex<BTreeSet<_>>>::default();
        let stop = Arc::<AtomicBool>::default();
        let mut begin = move || command.spawn().unwrap();
        let current = Arc::new(Mutex::new(begin()));
        let (names, child, end) = (seen.clone(), current.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            loop {
                let stdout = child.lock().unwrap().stdout.take().unwrap();
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let name = line.strip_prefix("configmap/").unwrap_or(&line);
                    names.lock().unwrap().insert(name.to_owned());
                }
                let mut child = child.lock().unwrap();
                let _ = child.wait();
                if end.load(Ordering::SeqCst) {
                    return;
                }
                *child = begin();
            }
        });
        Self {
            seen,
            current,
            stop,
            thread: Some(thread),
        }
    }

    /// Those of the names that were not told.
    pub(crate) fn missed(&self, names: &[String]) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        names
            .iter()
            .filter(|name| !seen.contains(*name))
            .cloned()
            .collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = self.current.lock().unwrap().kill();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
