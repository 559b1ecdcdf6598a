//! A certificate authority.

use rcgen::{
    BasicConstraints, CertifiedIssuer, DnType, DnValue, IsCa, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType,
};

use super::key::{self, Pair};
use super::leaf::{Leaf, leaf_parameters};
use crate::Error;

/// kubeadm's authorities are good for ten years.
const DAYS: u64 = 3650;

/// An authority with its key.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority of that common name.
    pub(super) fn new(name: &str) -> Result<Self, Error> {
        let mut params = leaf_parameters(DAYS);
        let common_name = DnValue::Utf8String(name.to_owned());
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        params.use_authority_key_identifier_extension = false;
        let name = name.to_owned().try_into();
        params
            .subject_alt_names
            .push(SanType::DnsName(name.map_err(Error::certificate)?));
        let issuer = CertifiedIssuer::self_signed(params, key::new_key()?);
        Ok(Self {
            issuer: issuer.map_err(Error::certificate)?,
        })
    }

    /// The certificate.
    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The digest by which kubeadm knows an authority: that of its public key as certificates hold it.
    pub(super) fn public_key_digest(&self) -> String {
        let key = self.issuer.key().subject_public_key_info();
        let digest = ring::digest::digest(&ring::digest::SHA256, &key);
        let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        format!("sha256:{}", hex.collect::<String>())
    }

    /// The public key.
    #[cfg(test)]
    pub(super) fn public_key_pem(&self) -> String {
        self.issuer.key().public_key_pem()
    }

    /// The private key.
    pub(super) fn key_pem(&self) -> String {
        key::key_pem(self.issuer.key())
    }

    /// Makes a key and a certificate for it.
    pub(super) fn issue_certificate(&self, leaf: &Leaf) -> Result<Pair, Error> {
        let key = key::new_key()?;
        let certificate = leaf
            .parameters()?
            .signed_by(&key, &self.issuer)
            .map_err(Error::certificate)?;
        Ok(Pair {
            certificate: certificate.pem(),
            key: key::key_pem(&key),
        })
    }
}
