//! What must hold for any input. Each function takes bytes and panics if something does not hold.

#[cfg(feature = "images")]
mod archives;
mod configs;
mod corefiles;
#[cfg(feature = "engines")]
mod engine_answers;
#[cfg(feature = "kubeconfig")]
mod kubeconfigs;
mod limits;
#[cfg(feature = "engines")]
mod netlink;
#[cfg(feature = "kubeconfig")]
mod nodes;
mod patches;
mod programs;
#[cfg(feature = "images")]
mod references;
#[cfg(feature = "images")]
mod registries;
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
pub use limits::Target;
#[cfg(feature = "engines")]
pub use netlink::netlink_answers;
#[cfg(feature = "kubeconfig")]
pub use nodes::{admin_kubeconfig, node_logs, node_messages};
pub use patches::{containerd_patches, kubeadm_patches};
pub use programs::{crictl_arguments, dns_packets, load_balancer};
#[cfg(feature = "images")]
pub use references::image_reference;
#[cfg(feature = "images")]
pub use registries::{registry_answers, registry_files};
#[cfg(feature = "images")]
pub use unpacking::unpack;

/// Every target with its limits.
pub const TARGETS: &[Target] = &[
    #[cfg(feature = "kubeconfig")]
    Target::new("admin_kubeconfig", admin_kubeconfig),
    #[cfg(feature = "images")]
    Target::new("archive", archive),
    Target::new("config", config),
    Target::new("containerd_patches", containerd_patches),
    Target::new("corefile", corefile),
    Target::new("crictl_arguments", crictl_arguments),
    Target::new("dns_packets", dns_packets),
    #[cfg(feature = "engines")]
    Target::new("engine_answers", engine_answers),
    #[cfg(feature = "images")]
    Target::new("image_reference", image_reference),
    Target::new("kubeadm_patches", kubeadm_patches),
    #[cfg(feature = "kubeconfig")]
    Target::new("kubeconfig", kubeconfig),
    Target::new("load_balancer", load_balancer),
    #[cfg(feature = "engines")]
    Target::new("netlink_answers", netlink_answers),
    #[cfg(feature = "kubeconfig")]
    Target::new("node_logs", node_logs),
    #[cfg(feature = "kubeconfig")]
    Target::new("node_messages", node_messages),
    #[cfg(feature = "images")]
    Target::new("registry_answers", registry_answers),
    #[cfg(feature = "images")]
    Target::new("registry_files", registry_files),
    #[cfg(feature = "images")]
    Target::new("unpack", unpack),
];

/// Tries an input of a target.
///
/// # Panics
/// There is no such target, or something does not hold.
pub fn check(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    target.expect("it is in the table").check(data);
}

/// Splits text at a line that no format has, for targets with several inputs.
fn split(data: &[u8]) -> Option<Vec<&str>> {
    std::str::from_utf8(data)
        .ok()
        .map(|text| text.split("\n=====\n").collect())
}
