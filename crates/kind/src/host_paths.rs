//! Host paths of extra mounts: what the host makes of them.

use std::path::{Path, PathBuf};

use kind_config::{Cluster, Mount};

/// What host paths are looked up in.
pub(crate) struct HostPaths<'a> {
    /// What relative paths are relative to.
    pub(crate) directory: &'a Path,
    /// What `~` stands for.
    pub(crate) home: Option<PathBuf>,
}

impl HostPaths<'_> {
    /// Puts the home directory where a path begins with `~`, as shells do. Returns what was probably not meant, as
    /// sentences for people: engines make an empty directory of a path that is not there.
    pub(crate) fn resolve(&self, cluster: &mut Cluster) -> Vec<String> {
        let mut warnings = Vec::new();
        for (node, config) in cluster.nodes.iter_mut().enumerate() {
            for (index, mount) in config.extra_mounts.iter_mut().enumerate() {
                let told = [self.expand_home(mount), self.judge(&mount.host_path)];
                let told = told.into_iter().flatten();
                let field = format!("nodes[{node}].extraMounts[{index}].hostPath");
                warnings.extend(told.map(|text| format!("{field}: {text}")));
            }
        }
        warnings
    }

    fn expand_home(&self, mount: &mut Mount) -> Option<String> {
        let home = self.home.as_ref()?;
        let rest = mount.host_path.strip_prefix('~')?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let path = format!("{}{rest}", home.display());
        let told = format!("{} is taken for {path}", mount.host_path);
        mount.host_path = path;
        Some(told)
    }

    fn judge(&self, path: &str) -> Option<String> {
        let is_missing = matches!(self.directory.join(path).try_exists(), Ok(false));
        let why = if path.contains('$') {
            ", and variables are not replaced"
        } else {
            ""
        };
        is_missing.then(|| {
            format!(
                "{path} does not exist on this host{why}: podman refuses it, other engines make an empty directory there"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use kind_config::Node;

    use super::*;

    /// The host path of a mount afterwards, and what was told of it.
    fn resolved(directory: &Path, path: &str) -> (String, Vec<String>) {
        let node = Node::control_plane().mount(Mount::new(path, "/data"));
        let mut cluster = Cluster::named("a").node(node);
        let host = HostPaths {
            directory,
            home: Some(directory.join("home")),
        };
        let told = host.resolve(&mut cluster);
        let mount = &cluster.nodes[0].extra_mounts[0];
        (mount.host_path.clone(), told)
    }

    #[test]
    fn a_tilde_is_the_home_directory() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        std::fs::create_dir_all(home.join("x")).unwrap();
        let (path, told) = resolved(directory.path(), "~/x");
        assert_eq!(Path::new(&path), home.join("x"));
        let expected = format!("nodes[0].extraMounts[0].hostPath: ~/x is taken for {path}");
        assert_eq!(told, [expected]);
        assert_eq!(Path::new(&resolved(directory.path(), "~").0), home);
        assert_eq!(resolved(directory.path(), "~user/x").0, "~user/x");
    }

    #[test]
    fn missing_files_and_literal_variables_are_told() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("there"), "").unwrap();
        let told = |path| resolved(directory.path(), path).1;
        assert_eq!(told("there"), [""; 0]);
        assert!(told("/nowhere/at/all.yaml")[0].contains("does not exist on this host: "));
        assert!(told("$HOME/x")[0].contains("variables are not replaced"));
        assert!(told("~user/x")[0].contains("does not exist"));
    }
}
