//! Documents against what SPDX 2.3 demands of any.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Document, Package, PackageUrl, Relation};
use crate::Digest;

fn document() -> Document {
    let part = Package {
        download: Some("https://example.com/a.crate".to_owned()),
        license: Some("MIT OR Apache-2.0".to_owned()),
        digest: Some(Digest::of(b"a")),
        url: Some(PackageUrl {
            kind: "cargo",
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            architecture: None,
        }),
        ..Package::new("a", "1.0.0")
    };
    Document {
        subject: Package::new("docker.io/kindest/node:debian", "v1.20.2"),
        relation: Relation::Contains,
        parts: vec![Package::new("libstdc++6", "14~x"), part.clone(), part],
        epoch: 0,
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    let text = value[name].as_str().unwrap_or_default();
    assert!(!text.is_empty(), "{name} is missing in {value}");
    text
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn a_document_has_all_that_spdx_demands() {
    let value: Value = serde_json::from_str(&document().to_json()).unwrap();
    assert_eq!(text(&value, "spdxVersion"), "SPDX-2.3");
    assert_eq!(text(&value, "dataLicense"), "CC0-1.0");
    assert_eq!(text(&value, "SPDXID"), "SPDXRef-DOCUMENT");
    assert_eq!(text(&value, "name"), "docker.io/kindest/node:debian");
    assert!(text(&value, "documentNamespace").starts_with("https://"));
    let creation = &value["creationInfo"];
    assert_eq!(text(creation, "created"), "1970-01-01T00:00:00Z");
    assert!(
        items(creation, "creators")[0]
            .as_str()
            .unwrap()
            .starts_with("Tool: ")
    );
    let mut ids = BTreeSet::from(["SPDXRef-DOCUMENT"]);
    for package in items(&value, "packages") {
        let id = text(package, "SPDXID");
        let rest = id.strip_prefix("SPDXRef-").unwrap();
        assert!(
            rest.chars()
                .all(|it| it.is_ascii_alphanumeric() || it == '.' || it == '-')
        );
        assert!(ids.insert(id), "{id} is there twice");
        text(package, "name");
        text(package, "downloadLocation");
        // Otherwise a package must have files and a code of them all.
        assert_eq!(package["filesAnalyzed"], false);
    }
    assert_eq!(ids.len(), 4, "the same part is told once");
    for relationship in items(&value, "relationships") {
        text(relationship, "relationshipType");
        for end in ["spdxElementId", "relatedSpdxElement"] {
            assert!(ids.contains(text(relationship, end)), "{relationship}");
        }
    }
    assert_eq!(items(&value, "relationships").len(), 3);
}

#[test]
fn what_is_known_of_a_part_is_told() {
    let value: Value = serde_json::from_str(&document().to_json()).unwrap();
    let part = &items(&value, "packages")[1];
    assert_eq!(text(part, "licenseDeclared"), "MIT OR Apache-2.0");
    let checksum = &items(part, "checksums")[0];
    assert_eq!(text(checksum, "algorithm"), "SHA256");
    assert_eq!(text(checksum, "checksumValue"), Digest::of(b"a").hex());
    let reference = &items(part, "externalRefs")[0];
    assert_eq!(text(reference, "referenceType"), "purl");
    assert_eq!(text(reference, "referenceLocator"), "pkg:cargo/a@1.0.0");
    assert_eq!(text(&items(&value, "packages")[2], "versionInfo"), "14~x");
}

#[test]
fn the_same_parts_make_the_same_document() {
    let mut other = document();
    other.parts.reverse();
    assert_eq!(other.to_json(), document().to_json());
    other.parts.pop();
    other.parts.pop();
    let namespace = |document: &Document| {
        let value: Value = serde_json::from_str(&document.to_json()).unwrap();
        text(&value, "documentNamespace").to_owned()
    };
    assert_ne!(namespace(&other), namespace(&document()));
}
