//! Files in and out of a node, whether it runs or not, as tar streams, from the helper's side.
//!
//! The helper's root is the node's root, so no path or link can lead out of it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kind_sys::namespace;

use super::{balancer, rootfs};
use crate::native::record::{NodeRecord, first_process};
use crate::native::state::State;
use crate::{Error, Purpose};

/// Unpacks a tar stream from stdin below a directory of a node.
pub(in crate::native) fn unpack_files(
    state: &State,
    node: &str,
    directory: &Path,
) -> Result<i32, Error> {
    let record = enter_node(state, node)?;
    let mut archive = tar::Archive::new(io::stdin().lock());
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    archive.set_overwrite(true);
    archive.unpack(directory).map_err(Error::io(format!(
        "write files below {} of node {node}",
        directory.display()
    )))?;
    if record.purpose == Purpose::LoadBalancer {
        balancer::hand_over_files()?;
    }
    Ok(0)
}

/// Packs a path of a node to stdout.
pub(in crate::native) fn pack_files(state: &State, node: &str, path: &Path) -> Result<i32, Error> {
    enter_node(state, node)?;
    let name = path
        .file_name()
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    let mut builder = tar::Builder::new(io::stdout().lock());
    builder.follow_symlinks(false);
    append_path(&mut builder, path, &name)
        .and_then(|()| builder.finish())
        .map_err(Error::io(format!("read {} of node {node}", path.display())))?;
    Ok(0)
}

fn enter_node(state: &State, node: &str) -> Result<NodeRecord, Error> {
    let directory = state.node(node);
    let record = NodeRecord::load(&directory)?;
    match first_process(&directory, node) {
        Ok(first) => {
            namespace::enter_mounts(first).map_err(Error::io(format!("enter node {node}")))?;
        }
        Err(_) => {
            namespace::unshare_mounts().map_err(Error::io("make a mount namespace"))?;
            rootfs::enter_files(state, &record)?;
        }
    }
    Ok(record)
}

type Builder<'a> = tar::Builder<io::StdoutLock<'a>>;

fn append_path(builder: &mut Builder<'_>, path: &Path, name: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        builder.append_dir(name, path)?;
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            match append_path(builder, &entry.path(), &name.join(entry.file_name())) {
                // Files come and go in a running node.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        Ok(())
    } else if metadata.is_file() {
        append_file(builder, File::open(path)?, &metadata, name)
    } else if metadata.is_symlink() {
        builder.append_path_with_name(path, name)
    } else {
        // Sockets, pipes and devices mean nothing elsewhere.
        Ok(())
    }
}

/// A file may grow or shrink while it is read: exactly as many bytes as announced are written.
fn append_file(
    builder: &mut Builder<'_>,
    file: File,
    metadata: &Metadata,
    name: &Path,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_metadata(metadata);
    let size = metadata.size();
    header.set_size(size);
    let data = file.chain(io::repeat(0)).take(size);
    builder.append_data(&mut header, name, data)
}
