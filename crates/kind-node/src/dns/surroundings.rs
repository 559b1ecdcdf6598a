//! What a Corefile may name beside itself: the environment, files, and the other keys of its ConfigMap.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kind_node::corefile::Environment;

/// Where CoreDNS has its ConfigMap.
const DIRECTORY: &str = "/etc/coredns";

/// The largest file that is read; ConfigMaps are smaller.
const LARGEST: u64 = 4 << 20;

/// The most files that a pattern may name.
const MOST_FILES: usize = 100;

/// Files by name, with their texts.
type Files = Vec<(String, String)>;

/// The surroundings of a Corefile, and what it asked of them.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    directory: PathBuf,
    /// Further keys of the ConfigMap; they are files beside the Corefile.
    data: BTreeMap<String, String>,
    asked: RefCell<BTreeMap<String, Files>>,
}

impl Surroundings {
    /// Those of a Corefile in a ConfigMap with that data.
    pub(crate) fn of_config_map(data: BTreeMap<String, String>) -> Self {
        Self {
            directory: DIRECTORY.into(),
            data,
            asked: RefCell::default(),
        }
    }

    /// Those of a Corefile in a file.
    pub(crate) fn of_file(path: &Path) -> Self {
        let directory = path.parent().unwrap_or(Path::new("/"));
        Self {
            directory: directory.to_owned(),
            ..Self::default()
        }
    }

    /// Tells whether a file that was asked for is not what it was.
    pub(crate) fn changed(&self) -> bool {
        let asked = self.asked.borrow();
        asked
            .iter()
            .any(|(pattern, files)| self.find_files(pattern) != *files)
    }

    /// Finds the files that a pattern names: keys of the ConfigMap, else files on the disk.
    fn find_files(&self, pattern: &str) -> Files {
        let path = self.directory.join(pattern);
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Files::new();
        };
        let beside = path.parent() == Some(&self.directory);
        let keys = self
            .data
            .iter()
            .filter(|(key, _)| beside && fits_pattern(name, key));
        let in_data: Files = keys
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect();
        if !in_data.is_empty() {
            return in_data;
        }
        if !name.contains('*') {
            return read(&path).into_iter().collect();
        }
        let entries = path
            .parent()
            .and_then(|parent| std::fs::read_dir(parent).ok());
        let names = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        let mut paths: Vec<PathBuf> = names
            .filter(|path| {
                path.file_name()
                    .is_some_and(|one| fits_pattern(name, &one.to_string_lossy()))
            })
            .take(MOST_FILES)
            .collect();
        paths.sort();
        paths.iter().filter_map(|path| read(path)).collect()
    }
}

impl Environment for Surroundings {
    fn variable(&self, name: &str) -> String {
        std::env::var(name).unwrap_or_default()
    }

    fn files(&self, pattern: &str) -> Files {
        let files = self.find_files(pattern);
        self.asked
            .borrow_mut()
            .insert(pattern.to_owned(), files.clone());
        files
    }
}

/// Tells whether a name fits a pattern in which one `*` stands for anything.
fn fits_pattern(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

/// Reads a file of text that is not too large.
fn read(path: &Path) -> Option<(String, String)> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    Some((path.to_string_lossy().into_owned(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_config_map_are_files_beside_the_corefile() {
        let data = [
            ("Corefile", "."),
            ("a.server", "a"),
            ("b.server", "b"),
            ("corp.hosts", "x"),
        ];
        let data = data.map(|(key, text)| (key.to_owned(), text.to_owned()));
        let surroundings = Surroundings::of_config_map(data.into());
        let names = |pattern: &str| {
            let files = surroundings.files(pattern).into_iter();
            files.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("*.server"), "a.server b.server");
        assert_eq!(names("/etc/coredns/corp.hosts"), "corp.hosts");
        assert_eq!(names("corp.hosts"), "corp.hosts");
        assert_eq!(names("/elsewhere/corp.hosts"), "");
        assert!(!surroundings.changed());
    }

    #[test]
    fn files_are_seen_to_change() {
        let directory = tempfile::tempdir().unwrap();
        let hosts = directory.path().join("hosts");
        std::fs::write(&hosts, "192.0.2.1 a").unwrap();
        let surroundings = Surroundings::of_file(&directory.path().join("Corefile"));
        assert_eq!(surroundings.files("hosts")[0].1, "192.0.2.1 a");
        assert!(surroundings.files("*.more").is_empty());
        assert!(!surroundings.changed());
        std::fs::write(directory.path().join("x.more"), "log").unwrap();
        assert!(surroundings.changed());
        assert_eq!(surroundings.files("*.more").len(), 1);
        std::fs::write(&hosts, "192.0.2.2 a").unwrap();
        assert!(surroundings.changed());
    }
}
