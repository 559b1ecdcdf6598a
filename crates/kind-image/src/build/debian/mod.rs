//! A node image on a node root made of Debian's packages, with Kubernetes compiled from Debian's source
//! package unless a release is given. The host needs nothing but `mmdebstrap`.

mod conformance;
mod etcd;
mod image;
mod kubernetes;
mod node_root;
mod root;
mod runtime;
mod suites;

pub use conformance::build_tests;
pub(super) use image::build_from_debian;
