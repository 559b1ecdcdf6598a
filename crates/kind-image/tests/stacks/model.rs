//! What a stack of layers means, on plain maps: the OCI image specification's words without a filesystem.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Where symbolic links lead to.
pub(crate) const TARGETS: [&str; 4] = ["a", "/b", "../c", "none"];

/// What an archive says of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Directory(Attributes),
    File(Attributes, u8),
    Symlink(&'static str),
    Fifo(Attributes),
    HardLink(PathBuf),
    Whiteout,
    Opaque,
}

/// What is compared of a file or a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) owner: u32,
    pub(crate) mtime: i64,
    pub(crate) note: Option<u8>,
}

/// A layer: its archive's entries in their order.
pub(crate) type Layer = Vec<(PathBuf, Entry)>;

/// What stands at a path. A directory without attributes is one that nobody lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Directory(Option<Attributes>),
    File(Attributes, u8),
    Symlink(&'static str),
    Fifo(Attributes),
}

pub(crate) type Tree = BTreeMap<PathBuf, Node>;

/// One layer, unpacked by itself.
#[derive(Debug, Default, Clone)]
struct Own {
    tree: Tree,
    /// Directories that took the place of something else: nothing of lower layers is left there.
    replaced: BTreeSet<PathBuf>,
    whiteouts: BTreeSet<PathBuf>,
    opaque: BTreeSet<PathBuf>,
}

/// The tree below with a layer on top; `None` if the layer is to be refused.
pub(crate) fn apply(below: &Tree, layer: &Layer) -> Option<Tree> {
    let mut own = Own::noting(layer);
    for (path, entry) in layer {
        own.take(below, path, entry)?;
    }
    Some(own.on(below))
}

/// The layer without the entries for which it would be refused.
pub(crate) fn without_refused(below: &Tree, layer: &Layer) -> Layer {
    let mut own = Own::noting(layer);
    let mut kept = Layer::new();
    for (path, entry) in layer {
        let mut next = own.clone();
        if next.take(below, path, entry).is_some() {
            own = next;
            kept.push((path.clone(), entry.clone()));
        }
    }
    kept
}

impl Own {
    /// Whiteouts count wherever they stand.
    fn noting(layer: &Layer) -> Self {
        let mut own = Self::default();
        for (path, entry) in layer {
            match entry {
                Entry::Whiteout => drop(own.whiteouts.insert(path.clone())),
                Entry::Opaque => drop(own.opaque.insert(path.clone())),
                _ => {}
            }
        }
        own
    }

    fn take(&mut self, below: &Tree, path: &Path, entry: &Entry) -> Option<()> {
        let node = match entry {
            Entry::Whiteout | Entry::Opaque => return Some(()),
            Entry::Directory(attributes) => Node::Directory(Some(attributes.clone())),
            Entry::File(attributes, content) => Node::File(attributes.clone(), *content),
            Entry::Symlink(target) => Node::Symlink(target),
            Entry::Fifo(attributes) => Node::Fifo(attributes.clone()),
            Entry::HardLink(target) => {
                let place = self.place(path)?;
                clear(&mut self.tree, &place);
                if target.starts_with(&place) || target == path {
                    return None;
                }
                let node = self.link_target(below, target)?;
                self.tree.insert(place, node);
                return Some(());
            }
        };
        let place = self.place(path)?;
        match (self.tree.get(&place), &node) {
            (Some(Node::Directory(_)), Node::Directory(_)) => {}
            (Some(_), Node::Directory(_)) => drop(self.replaced.insert(place.clone())),
            _ => clear(&mut self.tree, &place),
        }
        self.tree.insert(place, node);
        Some(())
    }

    /// Where an entry goes: through symbolic links of the layer, and through directories that it implies.
    fn place(&mut self, path: &Path) -> Option<PathBuf> {
        let mut place = PathBuf::new();
        let parent = path.parent().unwrap_or(Path::new(""));
        let mut left: Vec<Component<'_>> = parent.components().rev().collect();
        let mut links = 0;
        while let Some(part) = left.pop() {
            match part {
                Component::RootDir => place.clear(),
                Component::ParentDir => drop(place.pop()),
                part => place.push(part),
            }
            if let Some(Node::Symlink(target)) = self.tree.get(&place) {
                links += 1;
                place.pop();
                left.extend(Path::new(*target).components().rev());
            }
            if links > 40 {
                return None;
            }
        }
        let mut directories: Vec<_> = place.ancestors().map(Path::to_owned).collect();
        directories.pop();
        for directory in directories.into_iter().rev() {
            let implied = Node::Directory(None);
            match self.tree.entry(directory).or_insert(implied) {
                Node::Directory(_) => {}
                _ => return None,
            }
        }
        Some(place.join(path.file_name()?))
    }

    fn link_target(&mut self, below: &Tree, target: &Path) -> Option<Node> {
        for above in target.ancestors().skip(1) {
            match self.tree.get(above) {
                None | Some(Node::Directory(_)) => {}
                Some(_) => return None,
            }
        }
        match self.tree.get(target) {
            Some(Node::Directory(_)) => return None,
            Some(node) => return Some(node.clone()),
            None => {}
        }
        if target.ancestors().any(|path| self.replaced.contains(path)) || self.hides(target) {
            return None;
        }
        match below.get(target)? {
            Node::Directory(_) => None,
            node => {
                let node = node.clone();
                let place = self.place(target)?;
                self.tree.insert(place, node.clone());
                Some(node)
            }
        }
    }

    fn hides(&self, path: &Path) -> bool {
        let mut above = path.ancestors().skip(1);
        above.any(|above| self.opaque.contains(above))
            || path.ancestors().any(|path| self.whiteouts.contains(path))
    }

    fn on(self, below: &Tree) -> Tree {
        let mut tree = below.clone();
        tree.retain(|path, _| !self.hides(path));
        for (path, node) in &self.tree {
            if let Node::Directory(attributes) = node
                && !self.replaced.contains(path)
                && let Some(Node::Directory(lower)) = tree.get_mut(path)
            {
                if attributes.is_some() {
                    lower.clone_from(attributes);
                }
                continue;
            }
            clear(&mut tree, path);
            tree.insert(path.clone(), node.clone());
        }
        tree
    }
}

/// Takes away what stands at a path, with all that is below it.
fn clear(tree: &mut Tree, path: &Path) {
    tree.retain(|other, _| !other.starts_with(path));
}
