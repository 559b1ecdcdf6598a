//! Programs with the shared libraries they need, taken out of a root.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Error;
use super::cache::StepContext;
use super::chroot::Chroot;
use super::tree;

/// Copies programs of a root into a directory, with whatever libraries they need.
pub(super) struct LibraryCopier<'a> {
    work: &'a StepContext<'a>,
    root: &'a Path,
    target: &'a Path,
    done: BTreeSet<PathBuf>,
}

impl<'a> LibraryCopier<'a> {
    /// Begins in the directory `target`, giving it the merged layout of a Debian root.
    pub(super) fn new(
        work: &'a StepContext<'a>,
        root: &'a Path,
        target: &'a Path,
    ) -> Result<Self, Error> {
        for part in ["bin", "sbin", "lib", "lib64"] {
            tree::make_directory(&target.join("usr").join(part))?;
            tree::make_link(&target.join(part), &format!("usr/{part}"))?;
        }
        Ok(Self {
            work,
            root,
            target,
            done: BTreeSet::new(),
        })
    }

    /// Copies programs or libraries, by their paths without a leading slash, and what they need.
    pub(super) fn copy_programs<P: AsRef<Path>>(&mut self, paths: &[P]) -> Result<(), Error> {
        let mut command = vec![PathBuf::from("ldd")];
        for path in paths {
            self.copy_file(path.as_ref())?;
            command.push(Path::new("/").join(path));
        }
        let listing = self
            .work
            .command_output(Chroot::new(self.root).command(command))?;
        for library in parse_libraries(&listing) {
            self.copy_file(library)?;
        }
        Ok(())
    }

    /// Copies a file as it is, under the name asked for, with links resolved.
    pub(super) fn copy_file(&mut self, path: &Path) -> Result<(), Error> {
        if !self.done.insert(path.to_owned()) {
            return Ok(());
        }
        tree::copy_file(&self.root.join(path), &self.target.join(path))
    }
}

/// The libraries in a listing of `ldd`, without leading slash.
fn parse_libraries(listing: &str) -> impl Iterator<Item = &Path> {
    // Of several files, each has a heading that begins its line and ends in a colon.
    let needed = listing.lines().filter(|line| !line.ends_with(':'));
    needed.filter_map(|line| {
        let line = line.trim();
        let path = line.split_once("=> ").map_or(line, |(_, path)| path);
        let path = path.split(" (").next()?;
        path.strip_prefix('/').map(Path::new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_the_loader_are_found() {
        let listing = "/usr/lib/x86_64-linux-gnu/xtables/libxt_CT.so:\n\
            \tlinux-vdso.so.1 (0x00007f99)\n\
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f99)\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f99)\n";
        let found: Vec<_> = parse_libraries(listing).collect();
        assert_eq!(
            found,
            [
                Path::new("lib/x86_64-linux-gnu/libc.so.6"),
                Path::new("lib64/ld-linux-x86-64.so.2"),
            ]
        );
        assert_eq!(parse_libraries("\tnot a dynamic executable\n").count(), 0);
    }
}
