//! The authorities of one cluster.

use super::authority::Authority;
use super::file::{NodeFile, PKI, private_file, public_file};
use super::key;
use crate::Error;

/// The certificate authorities of one cluster and the key of its service accounts.
pub struct Authorities {
    pub(super) cluster: Authority,
    pub(super) front_proxy: Authority,
    pub(super) etcd: Authority,
    pub(super) service_accounts: rcgen::KeyPair,
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
            service_accounts: key::new_key()?,
        })
    }

    /// The digest by which those who join know the cluster's authority.
    pub fn cluster_digest(&self) -> String {
        self.cluster.public_key_digest()
    }

    /// What every control plane has of the authorities.
    pub fn shared(&self) -> Vec<NodeFile> {
        let mut files = Vec::new();
        for (name, authority) in [
            ("ca", &self.cluster),
            ("front-proxy-ca", &self.front_proxy),
            ("etcd/ca", &self.etcd),
        ] {
            files.push(public_file(format!("{PKI}/{name}.crt"), authority.pem()));
            files.push(private_file(
                format!("{PKI}/{name}.key"),
                authority.key_pem(),
            ));
        }
        let key = &self.service_accounts;
        files.push(private_file(format!("{PKI}/sa.key"), key::key_pem(key)));
        files.push(public_file(format!("{PKI}/sa.pub"), key.public_key_pem()));
        files
    }
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys stay out of logs.
        f.debug_struct("Authorities").finish_non_exhaustive()
    }
}
