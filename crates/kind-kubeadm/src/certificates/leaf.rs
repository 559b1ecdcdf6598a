//! Certificates of servers and clients.

use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose,
    KeyUsagePurpose, SanType,
};

use super::key::{self, Pair, new_key};
use super::names::Names;
use crate::Error;

/// kubeadm's certificates are good for one year.
const DAYS: u64 = 365;
/// The clock of a node in a virtual machine may be behind the one that made its certificates.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(3600);

/// What a certificate says.
#[derive(Debug, Clone, Default)]
pub(super) struct Leaf {
    name: String,
    organization: Option<&'static str>,
    server: bool,
    client: bool,
    names: Names,
}

impl Leaf {
    /// A client of that common name, in that organization (for Kubernetes: user and group).
    pub(super) fn client(name: &str, organization: Option<&'static str>) -> Self {
        Self {
            name: name.to_owned(),
            organization,
            client: true,
            ..Self::default()
        }
    }

    /// A server of that common name.
    pub(super) fn server(name: &str, names: Names) -> Self {
        Self {
            name: name.to_owned(),
            server: true,
            names,
            ..Self::default()
        }
    }

    /// A server that is a client of its like.
    pub(super) fn peer(name: &str, names: Names) -> Self {
        Self {
            client: true,
            ..Self::server(name, names)
        }
    }

    pub(super) fn parameters(&self) -> Result<CertificateParams, Error> {
        let mut params = leaf_parameters(DAYS);
        let name = &mut params.distinguished_name;
        if let Some(organization) = self.organization {
            let organization = DnValue::Utf8String(organization.to_owned());
            name.push(DnType::OrganizationName, organization);
        }
        name.push(DnType::CommonName, DnValue::Utf8String(self.name.clone()));
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        if self.server {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        if self.client {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ClientAuth);
        }
        for name in &self.names.names {
            let name = name.clone().try_into().map_err(Error::certificate)?;
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        let addresses = self.names.addresses.iter().copied();
        params
            .subject_alt_names
            .extend(addresses.map(SanType::IpAddress));
        Ok(params)
    }
}

/// A certificate without a name that is good from now on.
pub(super) fn leaf_parameters(days: u64) -> CertificateParams {
    let now = SystemTime::now();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = (now - MAX_CLOCK_SKEW).into();
    params.not_after = (now + Duration::from_secs(days * 24 * 3600)).into();
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    params.use_authority_key_identifier_extension = true;
    params
}

/// A server's certificate that it signed itself.
pub(super) fn self_signed(name: &str) -> Result<Pair, Error> {
    let key = new_key()?;
    let leaf = Leaf::server(name, Names::default().with([name]));
    let mut params = leaf.parameters()?;
    params.use_authority_key_identifier_extension = false;
    let certificate = params.self_signed(&key).map_err(Error::certificate)?;
    Ok(Pair {
        certificate: certificate.pem(),
        key: key::key_pem(&key),
    })
}
