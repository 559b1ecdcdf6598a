//! Architectures that node images are built for.

use crate::oci::Platform;

/// As images name them.
const KNOWN: [&str; 2] = ["amd64", "arm64"];

/// This machine's, if it is one of them.
pub(super) fn known_architecture() -> Option<&'static str> {
    let own = Platform::of_host().architecture;
    KNOWN.into_iter().find(|known| *known == own)
}
