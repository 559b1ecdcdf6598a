//! Private keys, and how they stand in files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

use crate::Error;

/// What is before the secret number in a key of RFC 5915: version 1, then 32 bytes.
const SECRET: [u8; 5] = [0x02, 0x01, 0x01, 0x04, 0x20];
/// The parameters of such a key: the curve P-256.
const CURVE: [u8; 12] = [
    0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
];
/// Length of a public key with what is around it.
const PUBLIC: usize = 70;

/// A key for everything.
pub(super) fn new_key() -> Result<KeyPair, Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::certificate)
}

/// A certificate and its key as PEM.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// A P-256 key in the form of RFC 5915 (`EC PRIVATE KEY`), as Kubernetes itself writes such keys. In that
/// of PKCS #8 kubeadm's phases `upload-certs` and `download-certs` know keys of RSA only.
pub(super) fn key_pem(key: &KeyPair) -> String {
    let Some(der) = unwrap_key(key.serialized_der()) else {
        return key.serialize_pem();
    };
    let text = STANDARD.encode(der);
    let mut pem = "-----BEGIN EC PRIVATE KEY-----\n".to_owned();
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem + "-----END EC PRIVATE KEY-----\n"
}

/// The key that PKCS #8 wraps, with its curve, which stands in the wrapping there.
fn unwrap_key(wrapped: &[u8]) -> Option<Vec<u8>> {
    let begin = wrapped
        .windows(SECRET.len())
        .position(|part| part == SECRET)?;
    let end = begin + SECRET.len() + 32;
    let (secret, public) = (wrapped.get(begin..end)?, wrapped.get(end..)?);
    let body = [secret, &CURVE, public].concat();
    let length = u8::try_from(body.len()).ok()?;
    (public.len() == PUBLIC).then(|| [&[0x30, length], &*body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_curve_and_has_both_halves() {
        let key = new_key().unwrap();
        let der = unwrap_key(key.serialized_der()).unwrap();
        assert_eq!((der.len(), der[1]), (121, 119));
        assert!(der.ends_with(key.public_key_raw()));
        let pem = key_pem(&key);
        assert!(
            pem.starts_with("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI"),
            "{pem}"
        );
        assert!(pem.lines().all(|line| line.len() <= 64));
        assert_eq!(unwrap_key(b"something else"), None);
    }
}
