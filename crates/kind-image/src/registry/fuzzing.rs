//! What registries, and files about them, say, for fuzz targets.

use std::path::Path;

use super::access::Access;
use super::{challenge, credentials, hosts_file, manifest};
use crate::http::{Origin, Url};

/// A manifest or an index is taken or refused.
pub fn read_manifest(bytes: &[u8]) {
    let _ = manifest::check_answer(bytes, "fuzz");
}

/// A header is read, whatever it is, and what is read is no larger.
pub fn read_challenges(header: &str) {
    let challenges = challenge::parse_challenges(header);
    assert!(challenges.len() <= header.len());
    for challenge in challenges {
        assert_eq!(challenge.scheme, challenge.scheme.to_lowercase());
    }
}

/// A `hosts.toml` is read or refused.
pub fn read_hosts_file(text: &str) {
    let _ = hosts_file::parse_hosts_file(text, Path::new("/certs.d"));
}

/// A configuration of docker is read or refused. No helper is called.
pub fn read_credentials(config: &Path) {
    let access = Access {
        credentials: vec![config.to_owned()],
        ..Access::default()
    };
    for host in ["docker.io", "registry.test:5000"] {
        let _ = credentials::find_credentials(&access, host, "a/b");
    }
}

/// Where a server at `base` leads: nothing is less secure, and all goes along only to the very origin.
pub fn follow_location(base: &str, location: &str) {
    let Ok(base) = Url::parse(base) else {
        return;
    };
    let origin = Origin::of(&base);
    let Ok((next, passage)) = origin.follow(location) else {
        return;
    };
    assert!(next.is_https() || !base.is_https(), "{base} {next}");
    let mut headers = vec![("x-token".to_owned(), String::new())];
    passage.strip_headers(&mut headers);
    assert_eq!(headers.len() == 1, next.same_origin(&base), "{base} {next}");
}
