//! A thing that something is made of.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use crate::Digest;

/// What SPDX says where nothing is known.
const UNKNOWN: &str = "NOASSERTION";

/// A package, in SPDX's sense: whatever has a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as whoever makes it writes it; empty if it is not known.
    pub version: String,
    /// Where it can be had.
    pub download: Option<String>,
    /// Its licence as an SPDX expression.
    pub license: Option<String>,
    /// The digest of the file that it is, or comes as.
    pub digest: Option<Digest>,
    /// The name by which databases of flaws know it.
    pub url: Option<PackageUrl>,
}

impl Package {
    /// A package of which no more is known.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            download: None,
            license: None,
            digest: None,
            url: None,
        }
    }

    pub(super) fn to_json(&self, id: &str) -> Value {
        let mut package = json!({
            "SPDXID": id,
            "name": self.name,
            "downloadLocation": self.download.as_deref().unwrap_or(UNKNOWN),
            "filesAnalyzed": false,
            "licenseConcluded": UNKNOWN,
            "licenseDeclared": self.license.as_deref().unwrap_or(UNKNOWN),
            "copyrightText": UNKNOWN,
        });
        if !self.version.is_empty() {
            package["versionInfo"] = json!(self.version);
        }
        if let Some(digest) = &self.digest {
            package["checksums"] = json!([{
                "algorithm": "SHA256",
                "checksumValue": digest.hex(),
            }]);
        }
        if let Some(url) = &self.url {
            package["externalRefs"] = json!([{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": url.to_string(),
            }]);
        }
        package
    }
}

/// A package URL: a kind of package, its name, its version, and for which machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageUrl {
    /// For example `cargo` or `deb/debian`.
    pub kind: &'static str,
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The machines it is for, where that is told apart.
    pub architecture: Option<String>,
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version) = (escape(&self.name), escape(&self.version));
        write!(formatter, "pkg:{}/{name}@{version}", self.kind)?;
        match &self.architecture {
            Some(architecture) => write!(formatter, "?arch={}", escape(architecture)),
            None => Ok(()),
        }
    }
}

/// Text with everything as percents and digits that means something in a URL.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
