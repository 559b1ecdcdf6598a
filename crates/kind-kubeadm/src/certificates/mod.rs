//! Certificates and kubeconfigs, made before the nodes run.
//!
//! kubeadm keeps what it finds. All nodes get theirs from the same authorities at once, so that none waits
//! for another, and no node spends its first seconds on making RSA keys: these are ECDSA P-256.
//!
//! Names, usages and file names are those of kubeadm (kubernetes.io: "PKI certificates and requirements").

mod authorities;
mod authority;
mod file;
mod key;
mod kubeconfig;
mod leaf;
mod names;
mod node;

pub use authorities::Authorities;
pub use file::{Content, NodeFile};

#[cfg(test)]
mod tests;
