//! The packages of a Debian root.

use std::collections::BTreeMap;

use super::package::{Package, PackageUrl};

/// Those that dpkg's status says are installed.
pub(crate) fn installed_packages(status: &str) -> Vec<Package> {
    let paragraphs = status.split("\n\n").map(read_fields);
    paragraphs
        .filter_map(|fields| read_package(&fields))
        .collect()
}

/// The first lines of all fields; those that go on are not asked for.
fn read_fields(paragraph: &str) -> BTreeMap<&str, &str> {
    let lines = paragraph.lines().filter(|line| !line.starts_with(' '));
    let fields = lines.filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name, value.trim())).collect()
}

fn read_package(fields: &BTreeMap<&str, &str>) -> Option<Package> {
    let field = |name| fields.get(name).copied();
    if !field("Status")?.ends_with(" installed") {
        return None;
    }
    let (name, version) = (field("Package")?, field("Version")?);
    Some(Package {
        url: Some(PackageUrl {
            kind: "deb/debian",
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: field("Architecture").map(str::to_owned),
        }),
        ..Package::new(name, version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As dpkg 1.21 writes it.
    const STATUS: &str = "\
Package: libc6
Status: install ok installed
Maintainer: somebody
Architecture: amd64
Multi-Arch: same
Version: 2.36-9+deb12u9
Description: GNU C Library: Shared libraries
 Status: of a line that goes on

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: adduser
Status: install ok installed
Architecture: all
Version: 1:3.134~x
";

    #[test]
    fn installed_packages_are_told_from_removed_ones() {
        let packages = installed_packages(STATUS);
        let urls = packages.iter().filter_map(|it| it.url.as_ref());
        let expected = [
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64",
            "pkg:deb/debian/adduser@1%3A3.134~x?arch=all",
        ];
        assert_eq!(urls.map(ToString::to_string).collect::<Vec<_>>(), expected);
        assert_eq!(packages[0].version, "2.36-9+deb12u9");
        assert!(installed_packages("").is_empty());
    }
}
