//! What must hold for any input. Each function takes bytes and panics if something does not hold.

#[cfg(feature = "images")]
mod archives;
mod configs;
mod corefiles;
#[cfg(feature = "engines")]
mod engine_answers;
#[cfg(feature = "kubeconfig")]
mod kubeconfigs;
mod patches;
#[cfg(feature = "images")]
mod references;
#[cfg(feature = "images")]
mod tars;
#[cfg(feature = "images")]
mod unpacking;

#[cfg(feature = "images")]
pub use archives::archive;
pub use configs::config;
pub use corefiles::corefile;
#[cfg(feature = "engines")]
pub use engine_answers::engine_answers;
#[cfg(feature = "kubeconfig")]
pub use kubeconfigs::kubeconfig;
pub use patches::{containerd_patches, kubeadm_patches};
#[cfg(feature = "images")]
pub use references::image_reference;
#[cfg(feature = "images")]
pub use unpacking::unpack;

/// Every target with its name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    #[cfg(feature = "images")]
    ("archive", archive),
    ("config", config),
    ("containerd_patches", containerd_patches),
    ("corefile", corefile),
    #[cfg(feature = "engines")]
    ("engine_answers", engine_answers),
    #[cfg(feature = "images")]
    ("image_reference", image_reference),
    ("kubeadm_patches", kubeadm_patches),
    #[cfg(feature = "kubeconfig")]
    ("kubeconfig", kubeconfig),
    #[cfg(feature = "images")]
    ("unpack", unpack),
];

/// Splits text at a line that no format has, for targets with several inputs.
fn split(data: &[u8]) -> Option<Vec<&str>> {
    std::str::from_utf8(data)
        .ok()
        .map(|text| text.split("\n=====\n").collect())
}
