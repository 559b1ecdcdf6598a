//! What a creation would make, without making anything.
//!
//! An engine is asked what it is (root or not, which cgroups, which version its images have) where one
//! answers. Nothing else of the world is needed: addresses are those of a fresh network, and a
//! Kubernetes version may be given in place of an image. Where a creation has a new bootstrap token and the digest of a new
//! authority, `<random>` stands, which kubeadm refuses.

mod display;
mod host;
mod image;
mod kubeconfig;
mod run;

pub use run::{Assumptions, DryNode, DryRun};
