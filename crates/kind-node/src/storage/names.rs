//! Names that manifests and volumes of the original have, too.

/// The name under which claims ask for these volumes.
pub(super) const PROVISIONER: &str = "rancher.io/local-path";
/// Where volumes lie, in the node and in the pod alike.
pub(super) const BASE: &str = "/var/local-path-provisioner";
