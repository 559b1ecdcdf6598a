//! The first process of a node whose files came before it was started: its volumes are in place now.
//!
//! Engines put files as tar archives into [`SEEDS`]. They are unpacked at `/` in the order of their names, over
//! what the volumes hold, and removed; a start that was cut short does it again.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::log;
use super::shared_image_store;
use crate::unpack;

/// Archives of files that wait for the node's first process.
const SEEDS: &str = "/kind/seed";

/// Puts the node's files in place and becomes the command after `--`.
pub(crate) fn seed_node(arguments: &[OsString]) -> ExitCode {
    let [dashes, program, rest @ ..] = arguments else {
        return crate::usage::exit_with_usage("seed takes `-- COMMAND`");
    };
    if dashes != "--" {
        return crate::usage::exit_with_usage("seed takes `-- COMMAND`");
    }
    let prepared = shared_image_store::fill_var()
        .and_then(|()| unpack_seeds(Path::new(SEEDS), Path::new("/")));
    let error = match prepared {
        Ok(()) => Command::new(program).args(rest).exec(),
        Err(error) => error,
    };
    log::error(format!(
        "put the node's files in place and run {}: {error}",
        program.display()
    ));
    ExitCode::FAILURE
}

fn unpack_seeds(seeds: &Path, root: &Path) -> io::Result<()> {
    for seed in seed_archives(seeds)? {
        let stream = io::BufReader::new(File::open(&seed)?);
        unpack::unpack_tar(root, stream).map_err(io::Error::other)?;
    }
    match fs::remove_dir_all(seeds) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The archives in the order in which they came.
fn seed_archives(seeds: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(seeds) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths?;
    paths.sort_unstable();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(text: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o640);
        builder
            .append_data(&mut header, "var/lib/file", text.as_bytes())
            .unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn what_came_last_counts_and_nothing_waits_any_more() {
        let node = tempfile::tempdir().unwrap();
        let seeds = node.path().join("kind/seed");
        fs::create_dir_all(&seeds).unwrap();
        fs::write(seeds.join("2.tar"), archive("second")).unwrap();
        fs::write(seeds.join("1.tar"), archive("first")).unwrap();
        unpack_seeds(&seeds, node.path()).unwrap();
        let file = node.path().join("var/lib/file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "second");
        assert!(!seeds.exists());
        fs::write(&file, "of the node").unwrap();
        unpack_seeds(&seeds, node.path()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "of the node");
    }
}
