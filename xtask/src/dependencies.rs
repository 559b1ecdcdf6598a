//! What the dependency graph may hold, by cargo-deny: licences, sources, and nothing that is known to be broken.

use std::process::Command;

use crate::Failure;
use crate::shell::{self, cargo, program};

/// Another version may judge otherwise, so it is always this one.
const VERSION: &str = "0.20.2";
/// The manifests with a lock file each.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];
/// Seconds after which the database is not waited for any longer.
const FETCH_LIMIT: &str = "120";

/// Checks what needs no network.
pub(crate) fn check_graph() -> Result<(), Failure> {
    ensure_deny()?;
    for manifest in MANIFESTS {
        shell::run(deny(manifest).args(["check", "licenses", "bans", "sources"]))?;
    }
    Ok(())
}

/// Checks that no crate has an advisory or was taken back. Without a network nothing can be said, which is no failure.
pub(crate) fn check_advisories() -> Result<(), Failure> {
    ensure_deny()?;
    if !fetch_database(&mut program("timeout"))? {
        shell::say("advisories are not checked: their database could not be had");
        return Ok(());
    }
    for manifest in MANIFESTS {
        shell::run(deny(manifest).args(["check", "advisories"]))?;
    }
    Ok(())
}

/// Whether `timeout` could bring the database of advisories.
fn fetch_database(timeout: &mut Command) -> Result<bool, Failure> {
    let fetch = timeout.args([FETCH_LIMIT, "cargo", "deny", "fetch", "db"]);
    Ok(fetch.status()?.success())
}

fn ensure_deny() -> Result<(), Failure> {
    let version = shell::output(cargo().args(["deny", "--version"]));
    if version.is_ok_and(|version| is_wanted(&version)) {
        return Ok(());
    }
    let wanted = format!("cargo-deny@{VERSION}");
    shell::run(cargo().args(["install", "--quiet", "--locked", "--force", &wanted]))
}

/// Whether that is what the wanted version says of itself.
fn is_wanted(version: &str) -> bool {
    version.split_whitespace().last() == Some(VERSION)
}

/// cargo-deny for a manifest, with the rules of this workspace.
fn deny(manifest: &str) -> Command {
    let mut command = cargo();
    let rules = shell::root().join("deny.toml");
    command.args(["deny", "--log-level", "error", "--manifest-path", manifest]);
    command.arg("--config").arg(rules);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_file_is_checked() {
        let locks = shell::output(program("git").args(["ls-files", "Cargo.lock", "*/Cargo.lock"]));
        let locks = locks.unwrap();
        let mut locks: Vec<_> = locks
            .lines()
            .map(|lock| lock.replace(".lock", ".toml"))
            .collect();
        locks.sort_unstable();
        assert_eq!(locks, MANIFESTS);
        let rules = std::fs::read_to_string(shell::root().join("deny.toml")).unwrap();
        assert!(rules.contains("[advisories]\nyanked = \"deny\"\n"));
    }

    #[test]
    fn another_version_is_replaced() {
        assert!(is_wanted(&format!("cargo-deny {VERSION}\n")));
        assert!(!is_wanted("cargo-deny 0.19.0\n"));
    }
}
