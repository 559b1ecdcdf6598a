//! Loading images into nodes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use kind_config::LOAD_BALANCER_ROLE;
use kind_engine::{Command, Engine, Io, Node};

use crate::node::read_output;
use crate::{Error, Provider, Result};

/// Which images to load where.
#[derive(Debug, Clone)]
pub struct LoadImages {
    cluster: String,
    nodes: Vec<String>,
    archives: Vec<PathBuf>,
}

impl LoadImages {
    /// Loads into every node of a cluster.
    pub fn new(cluster: impl Into<String>) -> Self {
        Self {
            cluster: cluster.into(),
            nodes: Vec::new(),
            archives: Vec::new(),
        }
    }

    /// Loads into these nodes only; an empty list means all.
    pub fn nodes(mut self, nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.nodes = nodes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an image archive, as `docker save` and OCI tools write it.
    pub fn archive(mut self, path: impl Into<PathBuf>) -> Self {
        self.archives.push(path.into());
        self
    }
}

/// Loads archives, one after the other, each into all nodes at once.
pub(crate) fn run(provider: &Provider, options: &LoadImages) -> Result<()> {
    for archive in &options.archives {
        std::fs::metadata(archive).map_err(|error| Error::io("stat", archive)(plain(error)))?;
    }
    let nodes = select(provider, options)?;
    for archive in &options.archives {
        let loaded: Vec<Result<()>> = std::thread::scope(|scope| {
            let engine = provider.engine();
            let running: Vec<_> = nodes
                .iter()
                .map(|node| scope.spawn(|| import(engine, &node.name, archive)))
                .collect();
            let joined = running.into_iter().map(|thread| thread.join());
            joined
                .map(|loaded| loaded.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        Error::collect(loaded.into_iter().filter_map(Result::err).collect())?;
    }
    Ok(())
}

/// The error in the words of the system alone, which scripts know.
fn plain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "no such file or directory"),
        _ => error,
    }
}

fn select(provider: &Provider, options: &LoadImages) -> Result<Vec<Node>> {
    let listed = provider.engine().list(Some(&options.cluster));
    let mut nodes = listed.map_err(Error::engine("failed to list nodes"))?;
    nodes.retain(|node| node.role() != LOAD_BALANCER_ROLE);
    if nodes.is_empty() {
        return Err(Error::NoNodes(options.cluster.clone()));
    }
    let unknown = |name: &&String| nodes.iter().all(|node| node.name != **name);
    if let Some(name) = options.nodes.iter().find(unknown) {
        return Err(Error::UnknownNode(name.clone()));
    }
    if !options.nodes.is_empty() {
        nodes.retain(|node| options.nodes.contains(&node.name));
    }
    Ok(nodes)
}

/// Gives an archive to the node's containerd.
fn import(engine: &dyn Engine, node: &str, archive: &Path) -> Result<()> {
    let snapshotter = snapshotter(engine, node)?;
    let mut file = File::open(archive).map_err(Error::io("open", archive))?;
    let snapshotter = format!("--snapshotter={snapshotter}");
    let command = Command::new([
        "ctr",
        "--namespace=k8s.io",
        "images",
        "import",
        "--all-platforms",
        "--digests",
        &snapshotter,
        "-",
    ]);
    let (mut nowhere, mut output) = (io::sink(), Vec::new());
    let io = Io::new(Some(&mut file), &mut nowhere, &mut output);
    let code = engine.exec(node, &command, io);
    match code.map_err(Error::engine("failed to load image"))? {
        0 => Ok(()),
        code => Err(Error::Step {
            node: node.to_owned(),
            action: "failed to load image".to_owned(),
            reason: format!("exit status {code}"),
            output: String::from_utf8_lossy(&output).into_owned(),
        }),
    }
}

/// How the node's containerd keeps its images.
fn snapshotter(engine: &dyn Engine, node: &str) -> Result<String> {
    let dump = read_output(engine, node, &["containerd", "config", "dump"])?;
    find_snapshotter(&dump).map_err(|reason| Error::Step {
        node: node.to_owned(),
        action: "failed to detect containerd snapshotter".to_owned(),
        reason,
        output: String::new(),
    })
}

fn find_snapshotter(dump: &str) -> std::result::Result<String, String> {
    let table: toml_edit::DocumentMut = dump.parse().map_err(|error| format!("{error}"))?;
    let version = table.get("version").and_then(toml_edit::Item::as_integer);
    let path: &[&str] = match version {
        Some(2) => &["io.containerd.grpc.v1.cri", "containerd", "snapshotter"],
        Some(3 | 4) => &["io.containerd.cri.v1.images", "snapshotter"],
        other => {
            let version = other.unwrap_or_default();
            return Err(format!(
                "unknown containerd config version: {version} (supported versions: 2, 3 and 4)"
            ));
        }
    };
    let plugins = table.get("plugins").ok_or("it has no plugins")?;
    let item = path.iter().try_fold(plugins, |item, key| item.get(key));
    let name = item.and_then(toml_edit::Item::as_str);
    Ok(name.ok_or("it names none")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::find_snapshotter;

    #[test]
    fn the_snapshotter_is_found_in_every_version() {
        let two = "version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    \
                   [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n      snapshotter = \"native\"\n";
        let three =
            "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'overlayfs'\n";
        assert_eq!(find_snapshotter(two).unwrap(), "native");
        assert_eq!(find_snapshotter(three).unwrap(), "overlayfs");
        let error = find_snapshotter("version = 1\n").unwrap_err();
        assert!(
            error.starts_with("unknown containerd config version: 1"),
            "{error}"
        );
    }
}
