//! Architectures that node images are built for.

/// This machine's, as images name it, if it is one of them.
pub(super) fn known_architecture() -> Option<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Some("amd64"),
        "aarch64" => Some("arm64"),
        _ => None,
    }
}
