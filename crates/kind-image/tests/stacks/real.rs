//! Layers as archives, and what the kernel shows of them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::model::{Attributes, Entry, Layer, Node, Tree};

/// The archive of a layer.
pub(crate) fn archive(layer: &Layer) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, entry) in layer {
        match entry {
            Entry::Directory(attributes) => {
                add(&mut builder, path, EntryType::Directory, attributes, &[]);
            }
            Entry::File(attributes, content) => {
                add(
                    &mut builder,
                    path,
                    EntryType::Regular,
                    attributes,
                    &[*content],
                );
            }
            Entry::Fifo(attributes) => add(&mut builder, path, EntryType::Fifo, attributes, &[]),
            Entry::Symlink(target) => link(&mut builder, path, EntryType::Symlink, target.as_ref()),
            Entry::HardLink(target) => link(&mut builder, path, EntryType::Link, target),
            Entry::Whiteout => {
                let name = path.file_name().unwrap().to_str().unwrap();
                mark(&mut builder, &path.with_file_name(format!(".wh.{name}")));
            }
            Entry::Opaque => mark(&mut builder, &path.join(".wh..wh..opq")),
        }
    }
    builder.into_inner().unwrap()
}

fn add(
    builder: &mut Builder<Vec<u8>>,
    path: &Path,
    kind: EntryType,
    attributes: &Attributes,
    content: &[u8],
) {
    if let Some(note) = attributes.note {
        let record = ("SCHILY.xattr.user.note", &[note][..]);
        builder.append_pax_extensions([record]).unwrap();
    }
    let mut header = header(kind);
    header.set_mode(attributes.mode);
    header.set_uid(attributes.owner.into());
    header.set_gid(attributes.owner.into());
    header.set_mtime(attributes.mtime.try_into().unwrap());
    header.set_size(content.len() as u64);
    builder.append_data(&mut header, path, content).unwrap();
}

fn link(builder: &mut Builder<Vec<u8>>, path: &Path, kind: EntryType, target: &Path) {
    let mut header = header(kind);
    builder.append_link(&mut header, path, target).unwrap();
}

fn mark(builder: &mut Builder<Vec<u8>>, path: &Path) {
    let mut header = header(EntryType::Regular);
    builder.append_data(&mut header, path, &[][..]).unwrap();
}

fn header(kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// What an overlay of unpacked layers shows, lowest first, below an empty writable layer in `place`. The mount
/// is made where nobody else sees it, and goes with the thread that made it.
pub(crate) fn shown(layers: &[PathBuf], place: &Path) -> Tree {
    let parts = ["upper", "work", "merged"].map(|part| place.join(part));
    for part in &parts {
        let _ = fs::remove_dir_all(part);
        fs::create_dir(part).unwrap();
    }
    let [upper, work, merged] = &parts;
    std::thread::scope(|scope| {
        let showing = scope.spawn(|| {
            kind_sys::namespace::unshare_mounts().unwrap();
            kind_sys::mount::make_all_private().unwrap();
            kind_sys::mount::overlay(layers, upper, work, merged).unwrap();
            let mut tree = Tree::new();
            read(merged, Path::new(""), &mut tree);
            tree
        });
        showing.join().unwrap()
    })
}

fn read(root: &Path, directory: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(root.join(directory)).unwrap() {
        let path = directory.join(entry.unwrap().file_name());
        let real = root.join(&path);
        // What is listed must be there.
        let metadata = fs::symlink_metadata(&real).unwrap();
        let kind = metadata.file_type();
        let attributes = Attributes {
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
            mtime: metadata.mtime(),
            note: note(&real),
        };
        assert_eq!(metadata.uid(), metadata.gid(), "{}", path.display());
        let node = if kind.is_dir() {
            read(root, &path, tree);
            Node::Directory(Some(attributes))
        } else if kind.is_symlink() {
            let target = fs::read_link(&real).unwrap();
            let target = crate::model::TARGETS
                .iter()
                .find(|known| Path::new(known) == target);
            Node::Symlink(target.unwrap())
        } else if kind.is_file() {
            Node::File(attributes, fs::read(&real).unwrap()[0])
        } else {
            assert_eq!(metadata.rdev(), 0, "{}", path.display());
            Node::Fifo(attributes)
        };
        tree.insert(path, node);
    }
}

fn note(path: &Path) -> Option<u8> {
    let mut value = [0; 1];
    let length = rustix::fs::lgetxattr(path, "user.note", &mut value);
    length.ok().map(|_| value[0])
}
