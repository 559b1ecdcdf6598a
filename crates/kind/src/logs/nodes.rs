//! What one node can tell, and the engine of it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kind_engine::{Command, Engine, EngineKind, Io, Node, State};
use kind_image::concurrent::{run_each, run_piped};
use kind_secret::{RedactingWriter, note_document, redact_document};

use super::bounds::{Bounds, Budget};
use super::place::LogDirectory;
use super::unpack::{LOGS, Unpacking};
use crate::abandon::run_limited;
use crate::error::FailedStep;
use crate::{CancelToken, Code, Error, NodeRole, Result};

/// Commands whose output is kept, by the name of the file.
const COMMANDS: [(&str, &[&str]); 4] = [
    ("journal.log", &["journalctl", "--no-pager"]),
    (
        "kubelet.log",
        &["journalctl", "--no-pager", "-u", "kubelet.service"],
    ),
    (
        "containerd.log",
        &["journalctl", "--no-pager", "-u", "containerd.service"],
    ),
    ("images.log", &["sh", "-c", LIST_IMAGES]),
];
const VERSION: (&str, &[&str]) = ("kubernetes-version.txt", &["cat", "/kind/version"]);
/// Seconds that one command may take in the node, which keeps what it has printed by then.
const LIMIT: &str = "60";
/// Images of others may have no crictl.
const LIST_IMAGES: &str =
    "command -v crictl >/dev/null && exec crictl images; exec ctr --namespace=k8s.io images list";
/// Packs all logs; files that change meanwhile are no failure.
const PACK_LOGS: &str =
    "tar --hard-dereference -C /var/log/ -cf - . || (r=$?; [ $r -eq 1 ] || exit $r)";

/// Writes everything that nodes can tell below `directory`, one directory for each. Goes on after a
/// failure and gives all.
pub(crate) fn collect_node_logs(
    engine: &Arc<dyn Engine>,
    nodes: &[Node],
    directory: &Path,
    cancel: &CancelToken,
) -> Vec<Error> {
    let opened = LogDirectory::open(directory).map_err(Error::io("failed to create", directory));
    let place = match opened {
        Ok(place) => place,
        Err(error) => return vec![error],
    };
    let mut errors: Vec<Error> = Vec::new();
    errors.extend(write_engine_info(engine.as_ref(), &place, directory).err());
    let found = run_each(nodes, |node| {
        let _context = tracing::debug_span!("logs", node = node.name).entered();
        let below = place.make_directory(Path::new(&node.name));
        let path = directory.join(&node.name);
        let below = below.map_err(Error::io("failed to create", &path));
        match below {
            Ok(below) => NodeLogs::new(engine, node, below, path).collect_all(cancel),
            Err(error) => vec![error],
        }
    });
    errors.extend(found.into_iter().flatten());
    errors
}

fn write_engine_info(engine: &dyn Engine, place: &LogDirectory, directory: &Path) -> Result<()> {
    // kind's name for this file does not depend on which program reaches containerd.
    let name = match engine.kind() {
        EngineKind::Nerdctl => EngineKind::Docker.name(),
        EngineKind::Native | EngineKind::Docker | EngineKind::Podman => engine.name(),
    };
    let name = format!("{name}-info.txt");
    let text = engine
        .describe()
        .map_err(Error::engine(Code::HostCheck, "failed to get engine info"))?;
    let written = write_document(place, Path::new(&name), &text);
    written.map_err(Error::io("failed to write", &directory.join(name)))
}

/// Writes what an engine knows, without the secrets in it. What comes after it has none of them either.
fn write_document(place: &LogDirectory, name: &Path, text: &str) -> io::Result<()> {
    note_document(text);
    let text = redact_document(text);
    place.create_file(name)?.write_all(text.as_bytes())
}

/// The logs of one node, for work that may be left to itself.
#[derive(Clone)]
struct NodeLogs {
    engine: Arc<dyn Engine>,
    node: Node,
    place: Arc<LogDirectory>,
    /// How messages call that place.
    path: PathBuf,
    budget: Budget,
    /// Set when nobody waits for what is going on any more.
    over: Arc<AtomicBool>,
}

impl NodeLogs {
    fn new(engine: &Arc<dyn Engine>, node: &Node, place: LogDirectory, path: PathBuf) -> Self {
        Self {
            engine: Arc::clone(engine),
            node: node.clone(),
            place: Arc::new(place),
            path,
            budget: Budget::new(Bounds::USUAL),
            over: Arc::default(),
        }
    }

    fn collect_all(&self, cancel: &CancelToken) -> Vec<Error> {
        let mut results = vec![
            self.run_bounded("what the engine knows", Self::inspect_node),
            self.run_bounded("the console", Self::copy_serial_log),
        ];
        if NodeRole::of(&self.node) == Some(NodeRole::LoadBalancer) {
            // It has neither a journal nor Kubernetes: what it says is on its console.
        } else if self.node.state == State::Running {
            for (file, argv) in COMMANDS.into_iter().chain([VERSION]) {
                if file != VERSION.0 && cancel.is_cancelled() {
                    continue;
                }
                results.push(self.run_bounded(file, move |logs| logs.run_command(file, argv)));
            }
            results.push(self.run_bounded(LOGS, Self::unpack_running));
        } else {
            results.push(self.run_bounded(LOGS, Self::unpack_stopped));
        }
        results.into_iter().filter_map(Result::err).collect()
    }

    /// Does one thing for as long as there is time. What goes on after that writes nothing more.
    fn run_bounded(
        &self,
        what: &str,
        work: impl FnOnce(&Self) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let mut logs = self.clone();
        logs.over = Arc::default();
        let (over, limit) = (Arc::clone(&logs.over), self.budget.time_left());
        run_limited(move || work(&logs), limit).unwrap_or_else(|| {
            over.store(true, Ordering::Relaxed);
            let reason = format!("it takes longer than {} seconds", limit.as_secs());
            Err(self.failed_step(format!("failed to collect {what} of node"), reason))
        })
    }

    fn failed_step(&self, action: String, reason: String) -> Error {
        let step = FailedStep {
            node: self.node.name.clone(),
            action: format!("{action} {:?}", self.node.name),
            reason,
            output: String::new(),
            causes: Vec::new(),
        };
        step.into_error()
    }

    /// What the engine knows about the node.
    fn inspect_node(&self) -> Result<()> {
        let action = format!("failed to inspect node {:?}", self.node.name);
        let text = self
            .engine
            .inspect(&self.node.name)
            .map_err(Error::engine(Code::NodeLogs, action))?;
        let name = Path::new("inspect.json");
        self.written(name, write_document(&self.place, name, &text))
    }

    /// What the node's first process printed.
    fn copy_serial_log(&self) -> Result<()> {
        let name = Path::new("serial.log");
        let mut file = self.create_file(name)?;
        let action = format!("failed to read the console of node {:?}", self.node.name);
        let read = self.engine.logs(&self.node.name, false, &mut file);
        let read = read.map_err(Error::engine(Code::NodeLogs, action));
        self.finish_file(file, name).and(read)
    }

    /// What a command in the node prints, stdout and stderr in one file.
    fn run_command(&self, name: &str, argv: &[&str]) -> Result<()> {
        let name = Path::new(name);
        let file = self.place.create_file(name);
        let stdout = file.map_err(Error::io("failed to create", &self.path.join(name)))?;
        let stderr = self.written(name, stdout.try_clone())?;
        let mut stdout = RedactingWriter::new(self.budget.writer(stdout, &self.over));
        let mut stderr = RedactingWriter::new(self.budget.writer(stderr, &self.over));
        let command = bounded_command(argv);
        let io = Io::new(None, &mut stdout, &mut stderr);
        let ended = self.engine.exec(&self.node.name, &command, io);
        self.finish_file(stdout, name)
            .and(self.finish_file(stderr, name))?;
        let action = format!("failed to run {} in node", argv.join(" "));
        match ended {
            Ok(0) => Ok(()),
            Ok(code) => Err(self.failed_step(action, format!("exit status {code}"))),
            Err(error) => {
                let action = format!("{action} {:?}", self.node.name);
                Err(Error::engine(Code::NodeReach, action)(error))
            }
        }
    }

    fn unpack_running(&self) -> Result<()> {
        let pack = bounded_command(&["sh", "-c", PACK_LOGS]);
        let mut code = 0;
        self.unpack_stream(0, |tar| {
            let mut complaints = io::sink();
            let io = Io::new(None, tar, &mut complaints);
            code = self.engine.exec(&self.node.name, &pack, io)?;
            Ok(())
        })?;
        let action = || format!("failed to copy {LOGS} of node");
        (code == 0)
            .then_some(())
            .ok_or_else(|| self.failed_step(action(), format!("exit status {code}")))
    }

    fn unpack_stopped(&self) -> Result<()> {
        self.unpack_stream(1, |tar| {
            self.engine.copy_out(&self.node.name, Path::new(LOGS), tar)
        })
    }

    /// Unpacks the tar stream that `pack` writes, without the first `skip` parts of each name.
    fn unpack_stream(
        &self,
        skip: usize,
        pack: impl FnOnce(&mut io::PipeWriter) -> std::result::Result<(), kind_engine::Error> + Send,
    ) -> Result<()> {
        let unpacking = Unpacking {
            directory: &self.place,
            budget: &self.budget,
            over: &self.over,
            skip,
        };
        let piped = run_piped(
            |mut writer| pack(&mut writer),
            |reader| unpacking.unpack_logs(reader),
        );
        let (packed, unpacked) =
            piped.map_err(Error::io("failed to open a pipe for", &self.path))?;
        let action = format!("failed to copy /var/log of node {:?}", self.node.name);
        let packed = packed.map_err(Error::engine(Code::NodeLogs, action));
        // What is refused here is why the node could not send it.
        let refused = unpacked.as_ref().is_err_and(is_refusal);
        let unpacked = unpacked.map_err(Error::io("failed to unpack logs below", &self.path));
        if refused {
            unpacked
        } else {
            packed.and(unpacked)
        }
    }

    fn create_file(&self, name: &Path) -> Result<LogFile> {
        let file = self.place.create_file(name);
        let file = file.map_err(Error::io("failed to create", &self.path.join(name)))?;
        Ok(RedactingWriter::new(self.budget.writer(file, &self.over)))
    }

    /// Writes the last of a file.
    fn finish_file(&self, file: LogFile, name: &Path) -> Result<()> {
        self.written(name, file.finish().map(drop))
    }

    fn written<T>(&self, name: &Path, written: io::Result<T>) -> Result<T> {
        written.map_err(Error::io("failed to write", &self.path.join(name)))
    }
}

/// Whether a node was told that it has too much, or is too slow.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, TimedOut};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | TimedOut)
}

type LogFile = RedactingWriter<super::bounds::BoundedWriter<std::fs::File>>;

/// A command that ends in the node, so that what it has printed is kept.
fn bounded_command(argv: &[&str]) -> Command {
    Command::new(["timeout", LIMIT].iter().chain(argv).copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::mpsc;
    use std::time::Duration;

    use kind_engine::fake::Fake;

    use super::*;

    fn node() -> Node {
        Node {
            name: "kind-control-plane".to_owned(),
            labels: BTreeMap::new(),
            image: String::new(),
            state: State::Running,
            ipv4: None,
            ipv6: None,
            ports: Vec::new(),
        }
    }

    fn logs(engine: Fake, path: &Path, bounds: Bounds) -> NodeLogs {
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let place = LogDirectory::open(path).unwrap();
        NodeLogs {
            budget: Budget::new(bounds),
            ..NodeLogs::new(&engine, &node(), place, path.to_owned())
        }
    }

    #[test]
    fn a_node_that_does_not_answer_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let (end, ended) = mpsc::channel::<()>();
        let ended = std::sync::Mutex::new(ended);
        let engine = Fake::new(
            &[],
            Box::new(move |_, _, _| {
                let _ = ended.lock().unwrap().recv();
                Ok(0)
            }),
        );
        let bounds = Bounds {
            each: Duration::from_millis(50),
            ..Bounds::USUAL
        };
        let logs = logs(engine, directory.path(), bounds);
        let error = logs
            .run_bounded("journal.log", |logs| {
                logs.run_command("journal.log", &["x"])
            })
            .unwrap_err();
        drop(end);
        assert!(error.to_string().contains("journal.log"), "{error}");
        assert_eq!(error.node(), Some("kind-control-plane"));
    }

    #[test]
    fn a_node_that_never_ends_is_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Fake::new(
            &[],
            Box::new(|_, _, io| {
                loop {
                    let written = io.stdout.write_all(b"and so on\n");
                    written.map_err(kind_engine::Error::io("writing"))?;
                }
            }),
        );
        let bounds = Bounds {
            bytes: 1000,
            ..Bounds::USUAL
        };
        let logs = logs(engine, directory.path(), bounds);
        let error = logs.run_command("journal.log", &["x"]).unwrap_err();
        assert_eq!(error.code(), Code::NodeReach, "{error}");
        let file = directory.path().join("journal.log").metadata().unwrap();
        assert!(file.len() <= 1000);
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}
