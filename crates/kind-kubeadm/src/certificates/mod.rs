//! Certificates and kubeconfigs, made before the nodes run.
//!
//! kubeadm keeps what it finds. All nodes get theirs from the same authorities at once, so that none waits
//! for another, and no node spends its first seconds on making RSA keys: these are ECDSA P-256.
//!
//! Names, usages and file names are those of kubeadm (kubernetes.io: "PKI certificates and requirements").

mod authority;
mod key;
mod kubeconfig;
mod leaf;
mod node;

use std::net::IpAddr;

use authority::Authority;
use leaf::Leaf;

use crate::Error;

/// Directory of certificates in a node.
const PKI: &str = "/etc/kubernetes/pki";
/// For keys and everything that holds one.
const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// The certificate authorities of one cluster and the key of its service accounts.
pub struct Authorities {
    cluster: Authority,
    front_proxy: Authority,
    etcd: Authority,
    service_accounts: rcgen::KeyPair,
}

/// A file, or a link, of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFile {
    /// Absolute path.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// What it holds.
    pub content: Content,
}

/// What a [`NodeFile`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// It is a symbolic link to this name beside it.
    Link(String),
}

impl Authorities {
    /// New authorities that nobody else knows.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            cluster: Authority::new("kubernetes")?,
            front_proxy: Authority::new("front-proxy-ca")?,
            etcd: Authority::new("etcd-ca")?,
            service_accounts: leaf::new_key()?,
        })
    }

    /// What every control plane has of the authorities.
    pub fn shared(&self) -> Vec<NodeFile> {
        let mut files = Vec::new();
        for (name, authority) in [
            ("ca", &self.cluster),
            ("front-proxy-ca", &self.front_proxy),
            ("etcd/ca", &self.etcd),
        ] {
            files.push(public(format!("{PKI}/{name}.crt"), authority.pem()));
            files.push(private(format!("{PKI}/{name}.key"), authority.key_pem()));
        }
        let key = &self.service_accounts;
        files.push(private(format!("{PKI}/sa.key"), key::pem(key)));
        files.push(public(format!("{PKI}/sa.pub"), key.public_key_pem()));
        files
    }
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys stay out of logs.
        f.debug_struct("Authorities").finish_non_exhaustive()
    }
}

fn public(path: String, text: String) -> NodeFile {
    NodeFile {
        path,
        mode: PUBLIC,
        content: Content::Text(text),
    }
}

fn private(path: String, text: String) -> NodeFile {
    NodeFile {
        path,
        mode: PRIVATE,
        content: Content::Text(text),
    }
}

/// Names and addresses that a server's certificate is good for.
#[derive(Debug, Clone, Default)]
struct Names {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Adds a name, or an address written as one.
    fn add(&mut self, text: &str) {
        match text.parse() {
            Ok(address) if !self.addresses.contains(&address) => self.addresses.push(address),
            Err(_) if !text.is_empty() && !self.names.iter().any(|name| name == text) => {
                self.names.push(text.to_owned());
            }
            _ => {}
        }
    }

    fn with<S: AsRef<str>>(mut self, texts: impl IntoIterator<Item = S>) -> Self {
        for text in texts {
            self.add(text.as_ref());
        }
        self
    }
}

#[cfg(test)]
mod tests;
