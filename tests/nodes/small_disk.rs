//! A small disk that a node gets.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Size of the small disk in bytes.
const SIZE: u64 = 160 << 20;

/// A small filesystem of its own, mounted as long as the value lives.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Makes one below a directory.
    pub(crate) fn new(directory: &Path) -> Self {
        let (image, place) = (directory.join("disk.img"), directory.join("disk"));
        File::create(&image).unwrap().set_len(SIZE).unwrap();
        fs::create_dir_all(&place).unwrap();
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m0"])
            .arg(&image));
        run(Command::new("mount")
            .args(["-o", "loop"])
            .args([&image, &place]));
        Self(place)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also if a node still has it open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
