//! `cargo xtask sbom`: what the program is made of, from the lock file and what cargo knows of each crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use kind_image::sbom::{Document, Package, PackageUrl, Relation};
use serde_json::Value;

use crate::Failure;
use crate::programs;
use crate::shell::{cargo, output, program, root};

/// The program, and the one for nodes that it carries.
const PROGRAMS: [&str; 2] = ["kind-cli", "kind-node"];
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Writes the document beside the program and returns its path. The same source makes the same document.
pub(crate) fn write() -> Result<PathBuf, Failure> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = ["metadata", "--locked", "--format-version", "1"];
    let filter = ["--filter-platform", &target];
    let metadata: Value = serde_json::from_str(&output(cargo().args(metadata).args(filter))?)?;
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let document = describe(&metadata, &checksums(&lock), source_epoch()?)?;
    let directory = programs::directory().join("release");
    fs::create_dir_all(&directory)?;
    let path = directory.join("kind.spdx.json");
    fs::write(&path, document.to_json())?;
    Ok(path)
}

/// When the source was last changed: what reproducible builds are told, or the time of its commit.
fn source_epoch() -> Result<u64, Failure> {
    if let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(epoch.parse()?);
    }
    let time = output(program("git").args(["log", "-1", "--format=%ct"]))?;
    Ok(time.trim().parse()?)
}

/// Digests of crates as they are downloaded, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |paragraph: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = paragraph.lines().find_map(|line| line.strip_prefix(&start));
        line.map(|line| line.trim_end_matches('"').to_owned())
    };
    let paragraphs = lock.split("[[package]]");
    paragraphs
        .filter_map(|it| {
            let key = (field(it, "name")?, field(it, "version")?);
            Some((key, field(it, "checksum")?))
        })
        .collect()
}

fn describe(
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
    epoch: u64,
) -> Result<Document, Failure> {
    let shipped = shipped(metadata);
    let mut subject = None;
    let mut parts = Vec::new();
    for package in list(metadata, "packages") {
        if !shipped.contains(text(package, "id")) {
            continue;
        }
        let part = describe_crate(package, checksums)?;
        if part.name == PROGRAMS[0] {
            subject = Some(Package {
                name: "kind".to_owned(),
                ..part
            });
        } else {
            parts.push(part);
        }
    }
    Ok(Document {
        subject: subject.ok_or("cargo does not know kind")?,
        relation: Relation::DependsOn,
        parts,
        epoch,
    })
}

/// The crates that are compiled into the programs: those that only build or test them are not.
fn shipped(metadata: &Value) -> BTreeSet<&str> {
    let nodes = list(&metadata["resolve"], "nodes").iter();
    let nodes: BTreeMap<_, _> = nodes.map(|node| (text(node, "id"), node)).collect();
    let packages = list(metadata, "packages").iter();
    let roots = packages.filter(|it| PROGRAMS.contains(&text(it, "name")));
    let mut waiting: Vec<&str> = roots.map(|it| text(it, "id")).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if found.insert(id) {
            let needs = nodes.get(id).map_or(&[][..], |node| list(node, "deps"));
            let needs = needs.iter().filter(|need| is_normal(need));
            waiting.extend(needs.map(|need| text(need, "pkg")));
        }
    }
    found
}

fn is_normal(need: &Value) -> bool {
    list(need, "dep_kinds")
        .iter()
        .any(|kind| kind["kind"].is_null())
}

fn describe_crate(
    package: &Value,
    checksums: &BTreeMap<(String, String), String>,
) -> Result<Package, Failure> {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let license = text(package, "license");
    let mut part = Package::new(name, version);
    // The sign that stood for "or" before it was an expression.
    part.license = (!license.is_empty()).then(|| license.replace('/', " OR "));
    if text(package, "source") != CRATES_IO {
        return Ok(part);
    }
    part.download = Some(format!(
        "https://static.crates.io/crates/{name}/{name}-{version}.crate"
    ));
    part.url = Some(PackageUrl {
        kind: "cargo",
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: None,
    });
    let checksum = checksums.get(&(name.to_owned(), version.to_owned()));
    let checksum = checksum.ok_or_else(|| format!("the lock file has no digest of {name}"))?;
    part.digest = Some(format!("sha256:{checksum}").parse()?);
    Ok(part)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_compiled_in_is_told_with_its_digest() {
        let digest = "0".repeat(64);
        let lock = format!(
            "[[package]]\nname = \"kind-cli\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\n\
             version = \"2.0.0\"\nsource = \"{CRATES_IO}\"\nchecksum = \"{digest}\"\n"
        );
        let need = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let package = |id: &str, source: Value| {
            json!({ "id": id, "name": id, "version": if id == "a" { "2.0.0" } else { "1.0.0" },
                "license": "MIT/Apache-2.0", "source": source })
        };
        let metadata = json!({
            "packages": [
                package("kind-cli", Value::Null),
                package("a", json!(CRATES_IO)),
                package("tested-with", json!(CRATES_IO)),
            ],
            "resolve": { "nodes": [
                { "id": "kind-cli", "deps": [need("a", Value::Null), need("tested-with", json!("dev"))] },
                { "id": "a", "deps": [] },
            ] },
        });
        let document = describe(&metadata, &checksums(&lock), 0).unwrap();
        assert_eq!(document.subject.name, "kind");
        let [part] = &document.parts[..] else {
            panic!("{:?}", document.parts);
        };
        assert_eq!(part.digest.as_ref().unwrap().hex(), digest);
        assert_eq!(part.license.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(part.url.as_ref().unwrap().to_string(), "pkg:cargo/a@2.0.0");
        assert!(describe(&metadata, &BTreeMap::new(), 0).is_err());
    }

    #[test]
    fn every_crate_of_the_programs_is_in_the_lock_file() {
        let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        let known = checksums(&lock);
        assert!(known.keys().any(|(name, _)| name == "serde_json"));
        assert!(known.values().all(|digest| digest.len() == 64));
    }
}
