//! What must hold for any input. Each function takes bytes and panics if something does not hold.

mod archives;
mod configs;
mod kubeconfigs;
mod patches;
mod references;
mod tars;
mod unpacking;

pub use archives::archive;
pub use configs::config;
pub use kubeconfigs::kubeconfig;
pub use patches::{containerd_patches, kubeadm_patches};
pub use references::image_reference;
pub use unpacking::unpack;

/// Every target with its name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("archive", archive),
    ("config", config),
    ("containerd_patches", containerd_patches),
    ("image_reference", image_reference),
    ("kubeadm_patches", kubeadm_patches),
    ("kubeconfig", kubeconfig),
    ("unpack", unpack),
];

/// Splits text at a line that no format has, for targets with several inputs.
fn split(data: &[u8]) -> Option<Vec<&str>> {
    std::str::from_utf8(data)
        .ok()
        .map(|text| text.split("\n=====\n").collect())
}
