//! Where an image's containerd keeps what.

/// Its root directory, below the image's.
pub(super) const CONTAINERD: &str = "var/lib/containerd";
/// The same below `/var`.
pub(super) const BELOW_VAR: &str = "lib/containerd";
/// The snapshotter's directory below containerd's.
pub(super) const SNAPSHOTTER: &str = "io.containerd.snapshotter.v1.overlayfs";
/// The unpacked layers of its images, in the same place.
pub(super) const SNAPSHOTS: &str = "io.containerd.snapshotter.v1.overlayfs/snapshots";
