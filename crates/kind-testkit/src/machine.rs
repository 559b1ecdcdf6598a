//! What a test needs of the machine. Where that is missing the test fails and says so: one that passes has tested
//! something.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fails the test unless root runs it.
#[track_caller]
pub fn require_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test needs root: it mounts, makes namespaces or gives files away"
    );
}

/// Fails the test unless all these programs are installed.
#[track_caller]
pub fn require_programs(programs: &[&str]) {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_installed =
        |program: &str| env::split_paths(&path).any(|place| place.join(program).is_file());
    for program in programs {
        assert!(
            is_installed(program),
            "this test needs {program}: `cargo xtask test` installs it"
        );
    }
}

/// A filesystem in memory of a size of its own, for what happens when a disk is full. It goes with the value.
#[derive(Debug)]
pub struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Makes one of so many bytes; a test needs root for that.
    #[track_caller]
    pub fn new(bytes: u64) -> Self {
        require_root();
        let place = tempfile::tempdir().expect("a temporary directory");
        let size = format!("size={bytes},mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "small"]);
        let status = mount.arg(place.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "no small disk");
        Self(place)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no room on it. [`SmallDisk::free`] takes that back.
    #[track_caller]
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Makes room again.
    #[track_caller]
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("what has filled the disk");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Also if something is still open there.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
    }
}
