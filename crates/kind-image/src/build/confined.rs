//! Programs of the image that is built, asked what they know.
//!
//! They were downloaded, or compiled from what was, and the build runs as root. So they run alone: in a root directory
//! that holds nothing else but `/proc`, as nobody, with namespaces of their own and no network.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::cache::StepContext;
use super::{Error, tree};

/// Who owns nothing.
const NOBODY: &str = "65534:65534";

/// Namespaces that the program gets; without the host's processes, nothing outlives it either.
const NAMESPACES: [&str; 9] = [
    "--mount",
    "--pid",
    "--net",
    "--ipc",
    "--uts",
    "--cgroup",
    "--fork",
    "--kill-child",
    "--propagation=private",
];

/// Runs a program that needs no other file, and returns what it prints.
pub(super) fn ask_program(
    work: &StepContext<'_>,
    program: &Path,
    arguments: &[&str],
) -> Result<String, Error> {
    let root = tempfile::tempdir_in(work.directory);
    let root = root.map_err(Error::path("make a directory in", work.directory))?;
    let open = fs::set_permissions(root.path(), Permissions::from_mode(0o755));
    open.map_err(Error::path("open", root.path()))?;
    let name = program.file_name().unwrap_or_default();
    tree::make_directory(&root.path().join(PROC))?;
    tree::link_file(program, &root.path().join(name))?;
    work.command_output(confined_command(root.path(), name, arguments))
}

/// Where the program sees its own processes and network.
const PROC: &str = "proc";

fn confined_command(root: &Path, program: &OsStr, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    // Without what it says of the network, kubeadm wants an address of the host.
    let mut proc = OsString::from("--mount-proc=");
    proc.push(root.join(PROC));
    command
        .env_clear()
        .args(NAMESPACES)
        .arg(proc)
        .args(["setpriv", "--no-new-privs", "--"])
        .arg("chroot")
        .arg(format!("--userspec={NOBODY}"))
        .arg("--groups=")
        .arg(root)
        .arg(Path::new("/").join(program))
        .args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Step, Stop};
    use super::*;

    /// What a static program of the host says there.
    fn ask(arguments: &[&str]) -> Result<String, Error> {
        kind_testkit::machine::require_root();
        kind_testkit::machine::require_programs(&["busybox"]);
        let place = tempfile::tempdir().unwrap();
        let work = StepContext {
            step: Step::Assemble,
            directory: place.path(),
            log: &place.path().join("log"),
            observer: &|_: Event<'_>| {},
            stop: &Stop::default(),
        };
        let asked = ask_program(&work, Path::new("/usr/bin/busybox"), arguments);
        let left = fs::read_dir(place.path()).unwrap().count();
        assert_eq!(left, 1, "nothing but the log is left");
        asked
    }

    #[test]
    fn a_downloaded_program_sees_nothing_of_the_host_and_changes_nothing() {
        assert_eq!(ask(&["id", "-u"]).unwrap(), "65534\n");
        assert_eq!(ask(&["ls", "/"]).unwrap(), "busybox\nproc\n");
        assert_eq!(ask(&["env"]).unwrap().matches("HOME=").count(), 0);
        let links = ask(&["ip", "-o", "link"]).unwrap();
        assert_eq!(links.lines().count(), 1, "no network but its own: {links}");
        for forbidden in [
            &["touch", "/made"][..],
            &["mount", "-t", "proc", "proc", "/proc"],
            &["sh", "-c", "echo 1 >/proc/sys/vm/drop_caches"],
            &["cat", "/etc/passwd"],
        ] {
            assert!(ask(forbidden).is_err(), "{forbidden:?}");
        }
    }
}
