//! When a node's certificates end.

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::civil::DateTime;
use kind_node::examination::Certificate;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// What kubeadm makes for the control plane and etcd.
const DIRECTORIES: [&str; 2] = ["/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd"];
/// What the kubelet shows the API server.
const KUBELET: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// The certificates of this node, each with its end.
pub(super) fn read_certificates() -> Vec<Certificate> {
    let made = DIRECTORIES
        .iter()
        .flat_map(|directory| files_in(Path::new(directory)));
    let files = made.chain([PathBuf::from(KUBELET)]);
    files.filter_map(|path| read_certificate(&path)).collect()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "crt"))
        .collect();
    files.sort();
    files
}

fn read_certificate(path: &Path) -> Option<Certificate> {
    let pem = fs::read(path).ok()?;
    let certificate = CertificateDer::from_pem_slice(&pem).ok()?;
    Some(Certificate {
        path: path.display().to_string(),
        expires: find_end(&certificate)?,
    })
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate in DER, in seconds since 1970. A certificate is a sequence that begins with the sequence of
/// what is signed: a version perhaps, serial number, algorithm, issuer, then the two times.
fn find_end(certificate: &[u8]) -> Option<i64> {
    let (_, whole, _) = take_value(certificate)?;
    let (_, mut signed, _) = take_value(whole)?;
    if signed.first() == Some(&VERSION) {
        (_, _, signed) = take_value(signed)?;
    }
    for _ in ["serial number", "algorithm", "issuer"] {
        (_, _, signed) = take_value(signed)?;
    }
    let (tag, times, _) = take_value(signed)?;
    if tag != SEQUENCE {
        return None;
    }
    let (_, _, rest) = take_value(times)?;
    let (tag, end, _) = take_value(rest)?;
    seconds_of(tag, std::str::from_utf8(end).ok()?)
}

/// The first value: its tag, its content, and what stands behind it.
fn take_value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let mut digits = digits.iter().map(|digit| usize::from(*digit));
        let length = digits.try_fold(0_usize, |sum, digit| {
            sum.checked_mul(256)?.checked_add(digit)
        });
        (length?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// A time of a certificate, always in UTC: `YYMMDDHHMMSSZ`, or with four digits of the year.
fn seconds_of(tag: u8, text: &str) -> Option<i64> {
    let text = match tag {
        // RFC 5280: two digits from 50 on are of the century before.
        UTC_TIME if text < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    let time: Timestamp = time
        .to_zoned(k8s_openapi::jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp();
    Some(time.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(year: i32) -> i64 {
        let mut parameters = rcgen::CertificateParams::new(["a".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 2, 3);
        let key = rcgen::KeyPair::generate().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.crt");
        fs::write(&path, parameters.self_signed(&key).unwrap().pem()).unwrap();
        assert_eq!(files_in(directory.path()), std::slice::from_ref(&path));
        read_certificate(&path).unwrap().expires
    }

    #[test]
    fn certificates_end_when_they_say() {
        assert_eq!(end_of(2027), 1_801_612_800);
        assert_eq!(end_of(2060), 2_842_992_000);
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x82, 0xff],
            &[0x30, 0xff, 1],
            b"text",
        ] {
            assert_eq!(find_end(bytes), None, "{bytes:?}");
        }
        assert_eq!(seconds_of(UTC_TIME, "270203000000Z"), Some(1_801_612_800));
        assert_eq!(seconds_of(UTC_TIME, "broken"), None);
        assert_eq!(seconds_of(2, "270203000000Z"), None);
    }
}
