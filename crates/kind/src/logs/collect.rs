//! An export of the logs of a cluster.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use kind_engine::{Node, State};

use super::nodes::collect_node_logs;
use super::place::LogDirectory;
use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::event::Listener;
use crate::leftover::Leftover;
use crate::{CancelToken, Error, NodeRole, Provider, Result};

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
    let place = LogDirectory::open(directory).map_err(Error::io("failed to create", directory))?;
    let name = Path::new("kind-version.txt");
    place
        .create_file(name)
        .and_then(|mut file| file.write_all(version.as_bytes()))
        .map_err(Error::io("failed to write", &directory.join(name)))?;
    let engine = provider.shared_engine();
    let mut errors = collect_node_logs(&engine, &nodes, directory, cancel);
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
}
