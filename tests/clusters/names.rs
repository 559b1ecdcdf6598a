//! Names of clusters and of their nodes. Whatever happens in a test, none of these clusters stays.

/// The cluster that something happens to, beside the one that all tests share.
pub(crate) const VICTIM: &str = "victim";

/// The cluster of two nodes, with addresses of both families.
pub(crate) const PAIR: &str = "pair";

/// The nodes of [`PAIR`].
pub(crate) const NODES: [&str; 2] = ["pair-control-plane", "pair-worker"];

/// The cluster whose nodes have images of their own.
pub(crate) const MIXED: &str = "mixed";

/// The cluster without IPv4.
pub(crate) const SIX: &str = "six";

/// The cluster on a network of the user's own.
pub(crate) const OWN: &str = "own";

/// The cluster that the original makes.
pub(crate) const THEIRS: &str = "theirs";

/// The cluster of a user who is not root.
pub(crate) const ORDINARY: &str = "ordinary";

/// Name of the cluster of a packed image.
pub(crate) const PACKED: &str = "packed";

/// Name of the cluster of a pulled image.
pub(crate) const PULLED: &str = "pulled";
