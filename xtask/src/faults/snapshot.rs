//! What was said of a fault before.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// Where snapshots are: one of a fault for all engines, and one for an engine that says something else.
pub(super) struct Snapshots {
    pub(super) directory: PathBuf,
    pub(super) engine: String,
}

impl Snapshots {
    /// What is different, a line each: `-` was said before, `+` is said now. With `update` that is written down.
    pub(super) fn compare(
        &self,
        id: &str,
        said: &str,
        update: bool,
    ) -> Result<Vec<String>, Failure> {
        let (common, own) = (self.path(id), self.path(&format!("{id}.{}", self.engine)));
        let place = if own.exists() { &own } else { &common };
        let before = fs::read_to_string(place).unwrap_or_default();
        if before == said || !update {
            return Ok(differences(&before, said));
        }
        self.write(&common, &own, said)?;
        Ok(Vec::new())
    }

    /// The native engine's is the common one; another engine has one of its own where it differs.
    fn write(&self, common: &Path, own: &Path, said: &str) -> Result<(), Failure> {
        fs::create_dir_all(&self.directory)?;
        let is_common = fs::read_to_string(common).is_ok_and(|text| text == said);
        if is_common {
            fs::remove_file(own)?;
        } else if self.engine == "native" || !common.exists() {
            fs::write(common, said)?;
        } else {
            fs::write(own, said)?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.txt"))
    }
}

/// Errors are short: all lines from the first to the last that differ.
fn differences(before: &str, now: &str) -> Vec<String> {
    let (before, now): (Vec<_>, Vec<_>) = (before.lines().collect(), now.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let start = before.iter().zip(&now).take_while(same).count();
    let (before, now) = (&before[start..], &now[start..]);
    let pairs = before.iter().rev().zip(now.iter().rev());
    let end = pairs.take_while(same).count();
    let marked = |mark: &str, lines: &[&str]| {
        let lines = &lines[..lines.len() - end];
        let lines = lines.iter().map(|line| format!("{mark}{line}"));
        lines.collect::<Vec<_>>()
    };
    [marked("-", before), marked("+", now)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_the_lines_between() {
        assert_eq!(differences("a\nb\nc\n", "a\nx\ny\nc\n"), ["-b", "+x", "+y"]);
        assert_eq!(differences("", "a\n"), ["+a"]);
        assert!(differences("a\na\n", "a\na\n").is_empty());
    }

    #[test]
    fn an_engine_has_a_snapshot_of_its_own_only_where_it_differs() {
        let directory = tempfile::tempdir().unwrap();
        let of = |engine: &str| Snapshots {
            directory: directory.path().to_owned(),
            engine: engine.to_owned(),
        };
        let (native, docker) = (of("native"), of("docker"));
        let compare = |snapshots: &Snapshots, said, update| {
            snapshots.compare("a", said, update).unwrap().len()
        };
        assert_eq!(compare(&native, "x\n", false), 1);
        assert_eq!(compare(&native, "x\n", true), 0);
        assert_eq!(compare(&docker, "x\n", false), 0);
        assert_eq!(compare(&docker, "y\n", true), 0);
        assert_eq!(compare(&native, "x\n", false), 0);
        assert_eq!(compare(&docker, "y\n", false), 0);
        assert_eq!(compare(&docker, "x\n", true), 0);
        assert!(!docker.path("a.docker").exists());
    }
}
