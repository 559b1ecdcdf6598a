//! Whom a connection trusts, and who this side is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::Failure;

/// Certificates of one host beside the system's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Files {
    /// Authorities to trust.
    pub(crate) authorities: Vec<PathBuf>,
    /// Certificate and key of this side; the key may be in the same file.
    pub(crate) client: Option<(PathBuf, PathBuf)>,
    /// Trust every certificate, as the user's configuration of this host says.
    pub(crate) blind: bool,
}

impl Files {
    /// Nothing beside the system's.
    pub(crate) const fn none() -> Self {
        Self {
            authorities: Vec::new(),
            client: None,
            blind: false,
        }
    }
}

/// The system's certificates, read when the first secure connection is made.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    system: OnceLock<Arc<Vec<Certificate<'static>>>>,
}

impl Trust {
    /// What connections to a host use.
    pub(super) fn config(&self, files: &Files) -> Result<TlsConfig, Failure> {
        let mut roots = Vec::clone(self.system_certificates());
        for path in &files.authorities {
            roots.extend(read_certificates(path)?);
        }
        if roots.is_empty() && !files.blind {
            return Err(Failure::Trust(
                "this machine has no certificates of authorities: install ca-certificates, or \
                 name a file of them in SSL_CERT_FILE"
                    .to_owned(),
            ));
        }
        let client = files.client.as_ref().map(|(certificate, key)| {
            let key = private_key(key)?;
            Ok::<_, Failure>(ClientCert::new_with_certs(
                &read_certificates(certificate)?,
                key,
            ))
        });
        Ok(TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .client_cert(client.transpose()?)
            .disable_verification(files.blind)
            .build())
    }

    /// What cannot be read of the system's is left out: one bad file must not cost all connections.
    fn system_certificates(&self) -> &Vec<Certificate<'static>> {
        self.system.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::debug!(%error, "certificates of the system");
            }
            Arc::new(found.certs.iter().map(owned).collect())
        })
    }
}

fn owned(certificate: &CertificateDer<'_>) -> Certificate<'static> {
    Certificate::from_der(certificate.as_ref()).to_owned()
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let bad = |reason: &dyn std::fmt::Display| {
        Failure::Trust(format!(
            "cannot read certificate {}: {reason}",
            path.display()
        ))
    };
    let bytes = fs::read(path).map_err(|error| bad(&error))?;
    let found = CertificateDer::pem_slice_iter(&bytes)
        .map(|certificate| certificate.map(|certificate| owned(&certificate)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(&error))?;
    if found.is_empty() {
        return Err(bad(&"it holds no certificate in PEM form"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKey<'static>, Failure> {
    let bad = |reason: &dyn std::fmt::Display| {
        Failure::Trust(format!("cannot read key {}: {reason}", path.display()))
    };
    let bytes = fs::read(path).map_err(|error| bad(&error))?;
    // Asked first, because it tells what is wrong with a file.
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| bad(&error))?;
    PrivateKey::from_pem(&bytes).map_err(|error| bad(&error))
}
