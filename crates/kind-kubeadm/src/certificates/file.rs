//! Files of nodes that hold certificates and keys.

/// Directory of certificates in a node.
pub(super) const PKI: &str = "/etc/kubernetes/pki";
/// For keys and everything that holds one.
pub(super) const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// A file, or a link, of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFile {
    /// Absolute path.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// What it holds.
    pub content: Content,
}

/// What a [`NodeFile`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// It is a symbolic link to this name beside it.
    Link(String),
}

/// A file that everyone may read.
pub(super) fn public_file(path: String, text: String) -> NodeFile {
    NodeFile {
        path,
        mode: PUBLIC,
        content: Content::Text(text),
    }
}

/// A file for root alone.
pub(super) fn private_file(path: String, text: String) -> NodeFile {
    NodeFile {
        path,
        mode: PRIVATE,
        content: Content::Text(text),
    }
}
