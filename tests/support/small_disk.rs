//! A small disk that nodes get.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Size of the small disk in bytes.
const SIZE: u64 = 160 << 20;

/// A small filesystem of its own, mounted as long as the value lives.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// Makes one below a directory.
    ///
    /// # Panics
    /// If it cannot be made, for example without root.
    pub fn new(directory: &Path) -> Self {
        Self::with_size(directory, SIZE)
    }

    /// Makes one of that many bytes below a directory.
    ///
    /// # Panics
    /// If it cannot be made, for example without root.
    pub fn with_size(directory: &Path, size: u64) -> Self {
        let (image, place) = (directory.join("disk.img"), directory.join("disk"));
        let file = File::create(&image).expect("a file for a disk");
        file.set_len(size).expect("a size for a disk");
        fs::create_dir_all(&place).expect("a place for a disk");
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m0"])
            .arg(&image));
        run(Command::new("mount")
            .args(["-o", "loop"])
            .args([&image, &place]));
        Self(place)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
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
    let status = command.status().expect("the program can be started");
    assert!(status.success(), "{command:?}");
}
