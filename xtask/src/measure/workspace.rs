//! The packages of a workspace and the files of each, as cargo names them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::source::{Source, read_crate};
use crate::{Failure, shell};

/// Packages that are there for the tests of others: nothing of them is product.
const FOR_TESTS: [&str; 2] = ["kind-e2e", "kind-testkit"];

/// One package.
pub(super) struct Package {
    pub(super) name: String,
    /// What is there for tests alone has no product functions and no share of tests.
    pub(super) is_product: bool,
    /// Its crates: libraries, programs, build scripts and tests; examples are left out.
    pub(super) crates: Vec<Vec<Source>>,
}

impl Package {
    /// Every file once, also if two crates have it. A file that one of them has beyond its tests is product.
    pub(super) fn files(&self) -> Vec<&Source> {
        let mut files = BTreeMap::new();
        for source in self.crates.iter().flatten() {
            let known = files.entry(&source.path).or_insert(source);
            if known.is_test {
                *known = source;
            }
        }
        files.into_values().collect()
    }

    pub(super) fn product_files(&self) -> impl Iterator<Item = &Source> {
        let files = self.files().into_iter();
        files.filter(|source| self.is_product && !source.is_test)
    }
}

/// Reads all packages of the workspace at `root`.
pub(super) fn read_packages(root: &Path) -> Result<Vec<Package>, Failure> {
    let mut metadata = shell::cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let text = shell::output(metadata.current_dir(root))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = list(&metadata, "packages").iter().map(read_package);
    packages.collect()
}

fn read_package(package: &Value) -> Result<Package, Failure> {
    let name = package["name"].as_str().unwrap_or_default().to_owned();
    let mut crates = Vec::new();
    for target in list(package, "targets") {
        let kind = target["kind"][0].as_str().unwrap_or_default();
        if kind != "example" {
            let path = PathBuf::from(target["src_path"].as_str().unwrap_or_default());
            crates.push(read_crate(&path, kind == "test")?);
        }
    }
    Ok(Package {
        is_product: !FOR_TESTS.contains(&name.as_str()),
        name,
        crates,
    })
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}
