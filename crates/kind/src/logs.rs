//! Collecting what nodes can tell, in kind's directory layout.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use kind_engine::{Command, Engine, EngineKind, Io, Node, State};
use kind_image::concurrent::{run_each, run_piped};
use kind_secret::{RedactingWriter, note_document, redact_document};

use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::error::FailedStep;
use crate::event::Listener;
use crate::leftover::Leftover;
use crate::{CancelToken, Code, Error, NodeRole, Provider, Result};

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
/// Seconds that one command may take.
const LIMIT: &str = "60";
/// Images of others may have no crictl.
const LIST_IMAGES: &str =
    "command -v crictl >/dev/null && exec crictl images; exec ctr --namespace=k8s.io images list";
/// Packs all logs, links followed; files that change meanwhile are no failure.
const PACK_LOGS: &str =
    "tar --hard-dereference -C /var/log/ -chf - . || (r=$?; [ $r -eq 1 ] || exit $r)";

impl Provider {
    /// Writes everything that a cluster's nodes can tell below `directory`; `version` is noted there.
    ///
    /// # Errors
    /// [`Error::NoSuchCluster`]; whatever could not be collected, after everything else was, unless `cancel` is
    /// cancelled: what is there by then stays.
    pub fn collect_logs(
        &self,
        cluster: &str,
        directory: &Path,
        version: &str,
        cancel: &CancelToken,
    ) -> Result<()> {
        let (provider, cluster) = (self.share(), cluster.to_owned());
        let (target, version) = (directory.to_owned(), version.to_owned());
        let token = cancel.clone();
        let work =
            move |_: Listener<'_>| collect_cluster(&provider, &cluster, &target, &version, &token);
        run_abandonable(work, SHORT_GRACE, cancel, &|_| {})?
    }

    /// Makes a new directory for logs of a cluster.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn new_log_directory(&self, cluster: &str) -> Result<PathBuf> {
        make_directory(self.temporary_dir(), cluster)
    }
}

/// Writes what nodes can tell below `directory`, and `version`.
fn collect_cluster(
    provider: &Provider,
    cluster: &str,
    directory: &Path,
    version: &str,
    cancel: &CancelToken,
) -> Result<()> {
    let nodes = provider.list_nodes(Some(cluster))?;
    if nodes.is_empty() {
        return Err(Error::NoSuchCluster(cluster.to_owned()));
    }
    let _noted = cancel.note_leftover(Leftover::Logs {
        directory: directory.to_owned(),
    });
    fs::create_dir_all(directory).map_err(Error::io("failed to create", directory))?;
    let path = directory.join("kind-version.txt");
    fs::write(&path, version).map_err(Error::io("failed to write", &path))?;
    let mut errors = collect_node_logs(provider.engine(), &nodes, directory, cancel);
    // What fails because nobody waits for it any more is no failure.
    cancel.check()?;
    errors.extend(
        nodes
            .iter()
            .filter_map(|node| lacks_journal(node, directory)),
    );
    Error::collect(errors)
}

/// Says so of a node that is not running, unless its image keeps journals on disk.
fn lacks_journal(node: &Node, directory: &Path) -> Option<Error> {
    let kept = || directory.join(&node.name).join("journal").exists();
    let has_none = NodeRole::of(node) == Some(NodeRole::LoadBalancer);
    (node.state != State::Running && !has_none && !kept()).then(|| Error::NoJournal {
        node: node.name.clone(),
    })
}

/// Makes a new directory for logs of a cluster. Others may have directories of such names below `parent`, and may
/// not look into this one.
///
/// # Errors
/// [`Error::Io`]
fn make_directory(parent: &Path, cluster: &str) -> Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let mut attempt = std::process::id();
    loop {
        let directory = parent.join(format!("kind-logs-{cluster}-{attempt}"));
        match builder.create(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(Error::io("failed to create", &directory)(error)),
        }
    }
}

/// Writes everything that nodes can tell below `directory`, one directory for each. Goes on after a
/// failure and gives all.
pub(crate) fn collect_node_logs(
    engine: &dyn Engine,
    nodes: &[Node],
    directory: &Path,
    cancel: &CancelToken,
) -> Vec<Error> {
    let mut errors: Vec<Error> = Vec::new();
    errors.extend(engine_info(engine, directory).err());
    let found = run_each(nodes, |node| {
        let _context = tracing::debug_span!("logs", node = node.name).entered();
        node_logs(engine, node, &directory.join(&node.name), cancel)
    });
    errors.extend(found.into_iter().flatten());
    errors
}

fn engine_info(engine: &dyn Engine, directory: &Path) -> Result<()> {
    // kind's name for this file does not depend on which program reaches containerd.
    let name = match engine.kind() {
        EngineKind::Nerdctl => EngineKind::Docker.name(),
        EngineKind::Native | EngineKind::Docker | EngineKind::Podman => engine.name(),
    };
    let path = directory.join(format!("{name}-info.txt"));
    let text = engine
        .describe()
        .map_err(Error::engine(Code::HostCheck, "failed to get engine info"))?;
    fs::create_dir_all(directory).map_err(Error::io("failed to create", directory))?;
    write_document(&path, &text)
}

/// Writes what an engine knows, without the secrets in it. What comes after it has none of them either.
fn write_document(path: &Path, text: &str) -> Result<()> {
    note_document(text);
    let text = redact_document(text);
    fs::write(path, text.as_bytes()).map_err(Error::io("failed to write", path))
}

fn node_logs(
    engine: &dyn Engine,
    node: &Node,
    directory: &Path,
    cancel: &CancelToken,
) -> Vec<Error> {
    if let Err(error) = fs::create_dir_all(directory) {
        return vec![Error::io("failed to create", directory)(error)];
    }
    let mut results = vec![
        inspect_nodes(engine, node, directory),
        copy_serial_log(engine, node, directory),
    ];
    if NodeRole::of(node) == Some(NodeRole::LoadBalancer) {
        // It has neither a journal nor Kubernetes: what it says is on its console.
    } else if node.state == State::Running {
        for (file, argv) in COMMANDS {
            if cancel.is_cancelled() {
                break;
            }
            results.push(command_output(engine, node, argv, &directory.join(file)));
        }
        let version = directory.join("kubernetes-version.txt");
        results.push(command_output(
            engine,
            node,
            &["cat", "/kind/version"],
            &version,
        ));
        let pack = bounded_command(&["sh", "-c", PACK_LOGS]);
        results.push(unpack_stream(node, directory, 0, |tar| {
            engine
                .exec(&node.name, &pack, Io::new(None, tar, &mut io::sink()))
                .map(drop)
        }));
    } else {
        let logs = Path::new("/var/log");
        results.push(unpack_stream(node, directory, 1, |tar| {
            engine.copy_out(&node.name, logs, tar)
        }));
    }
    results.into_iter().filter_map(Result::err).collect()
}

/// What the engine knows about a node.
fn inspect_nodes(engine: &dyn Engine, node: &Node, directory: &Path) -> Result<()> {
    let path = directory.join("inspect.json");
    let action = format!("failed to inspect node {:?}", node.name);
    let text = engine
        .inspect(&node.name)
        .map_err(Error::engine(Code::NodeLogs, action))?;
    write_document(&path, &text)
}

/// What the node's first process printed.
fn copy_serial_log(engine: &dyn Engine, node: &Node, directory: &Path) -> Result<()> {
    let path = directory.join("serial.log");
    let file = File::create(&path).map_err(Error::io("failed to create", &path))?;
    let mut file = RedactingWriter::new(file);
    let action = format!("failed to read the console of node {:?}", node.name);
    let read = engine.logs(&node.name, false, &mut file);
    let read = read.map_err(Error::engine(Code::NodeLogs, action));
    finish_file(file, &path).and(read)
}

/// Writes the last of a file.
fn finish_file(file: RedactingWriter<File>, path: &Path) -> Result<()> {
    let finished = file.finish().map(drop);
    finished.map_err(Error::io("failed to write", path))
}

/// A command that a hanging node cannot hold up for ever.
fn bounded_command(argv: &[&str]) -> Command {
    Command::new(["timeout", LIMIT].iter().chain(argv).copied())
}

/// What a command in the node prints, stdout and stderr in one file.
fn command_output(engine: &dyn Engine, node: &Node, argv: &[&str], path: &Path) -> Result<()> {
    let open = || File::create(path).map_err(Error::io("failed to create", path));
    let stdout = open()?;
    let stderr = stdout
        .try_clone()
        .map_err(Error::io("failed to open", path))?;
    let mut stdout = RedactingWriter::new(stdout);
    let mut stderr = RedactingWriter::new(stderr);
    let command = bounded_command(argv);
    let action = || format!("failed to run {} in node {:?}", argv.join(" "), node.name);
    let io = Io::new(None, &mut stdout, &mut stderr);
    let ended = engine.exec(&node.name, &command, io);
    finish_file(stdout, path).and(finish_file(stderr, path))?;
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => Err(FailedStep {
            node: node.name.clone(),
            action: action(),
            reason: format!("exit status {code}"),
            output: String::new(),
            causes: Vec::new(),
        }
        .into_error()),
        Err(error) => Err(Error::engine(Code::NodeReach, action())(error)),
    }
}

/// Unpacks the tar stream that `pack` writes, without the first `skip` parts of each name.
fn unpack_stream(
    node: &Node,
    directory: &Path,
    skip: usize,
    pack: impl FnOnce(&mut io::PipeWriter) -> std::result::Result<(), kind_engine::Error> + Send,
) -> Result<()> {
    let piped = run_piped(
        |mut writer| pack(&mut writer),
        |reader| unpack_logs(reader, directory, skip),
    );
    let (packed, unpacked) = piped.map_err(Error::io("failed to open a pipe for", directory))?;
    packed.map_err(Error::engine(
        Code::NodeLogs,
        format!("failed to copy /var/log of node {:?}", node.name),
    ))?;
    unpacked.map_err(Error::io("failed to unpack logs below", directory))
}

fn unpack_logs(mut stream: impl Read, directory: &Path, skip: usize) -> io::Result<()> {
    let mut archive = tar::Archive::new(&mut stream);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let Some(below) = safe_path(&entry.path()?, skip) else {
            continue;
        };
        let target = directory.join(below);
        match entry.header().entry_type() {
            tar::EntryType::Directory => fs::create_dir_all(&target)?,
            kind if kind.is_file() => {
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent)?;
                }
                let mut writer = RedactingWriter::new(File::create(&target)?);
                io::copy(&mut entry, &mut writer)?;
                let file = writer.finish()?;
                #[cfg(unix)]
                file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(
                    // Who has collected them can read them, and collect into the same place again.
                    entry.header().mode()? & 0o777 | 0o600,
                ))?;
            }
            kind => tracing::debug!(path = %target.display(), ?kind, "left out of the logs"),
        }
    }
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

/// The path below the target; `None` if it would lead out of it or is the target itself.
fn safe_path(path: &Path, skip: usize) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    let named = path.components().filter(|part| *part != Component::CurDir);
    for part in named.skip(skip) {
        let Component::Normal(name) = part else {
            return None;
        };
        parts.push(name);
    }
    (!parts.as_os_str().is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_directory_is_in_nobodys_way_and_the_users_alone() {
        let parent = tempfile::tempdir().unwrap();
        let first = make_directory(parent.path(), "a").unwrap();
        fs::set_permissions(&first, PermissionsExt::from_mode(0o000)).unwrap();
        let second = make_directory(parent.path(), "a").unwrap();
        assert_ne!(first, second);
        let mode = fs::metadata(&second).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn paths_stay_below_the_target() {
        for (path, skip, safe) in [
            ("./pods/a.log", 0, Some("pods/a.log")),
            ("log/pods/a.log", 1, Some("pods/a.log")),
            ("./", 0, None),
            ("log", 1, None),
            ("../a", 0, None),
            ("a/../../b", 0, None),
            ("/etc/passwd", 0, None),
        ] {
            assert_eq!(
                safe_path(Path::new(path), skip).as_deref(),
                safe.map(Path::new),
                "{path}"
            );
        }
    }
}
