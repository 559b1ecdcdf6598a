//! The documents that kubeadm reads: the same five kinds for every node.

mod arguments;
mod discovery;
mod gates;
mod kube_proxy;
mod kubeadm;
mod kubelet;
mod make;
mod patched;
mod token;

pub(crate) use kube_proxy::KUBE_PROXY_API;
pub(crate) use kubelet::KUBELET_API;
pub use patched::{Documents, patched};
pub use token::BootstrapToken;

#[cfg(test)]
mod tests;
