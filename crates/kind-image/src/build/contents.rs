//! What a node image is made of, as a file in it: see [`crate::sbom`].

use std::fs;
use std::path::Path;

use super::Error;
use super::cache::file_digest;
use super::components::ETCD;
use super::tarball::PROGRAMS;
use crate::Reference;
use crate::sbom::{Document, Package, Relation, installed_packages};

/// The version of what tells none.
const UNKNOWN: &str = "";

/// Where dpkg keeps what is installed.
const STATUS: &str = "var/lib/dpkg/status";

/// What an image is made of, where it can be looked at.
pub(super) struct ImageParts<'a> {
    /// Root filesystem of nodes.
    pub(super) node_root: &'a Path,
    /// Directory of the Kubernetes programs.
    pub(super) programs: &'a Path,
    /// Root of the image that was made of Debian's etcd.
    pub(super) etcd: Option<&'a Path>,
    /// What kubeadm calls the image of etcd, which is pulled where nothing else has etcd.
    pub(super) etcd_image: &'a Reference,
    /// The `kind-node` program.
    pub(super) node_agent: &'a Path,
}

/// The document's text, of an image of that name with that Kubernetes.
pub(super) fn describe_image(
    name: &Reference,
    version: &str,
    parts: &ImageParts<'_>,
) -> Result<String, Error> {
    let status = parts.node_root.join(STATUS);
    let status = fs::read_to_string(&status).map_err(Error::path("read", &status))?;
    let mut contents = installed_packages(&status);
    for program in PROGRAMS {
        let path = parts.programs.join(program);
        contents.push(describe_program(program, version, &path)?);
    }
    contents.push(describe_etcd(version, parts)?);
    let own = env!("CARGO_PKG_VERSION");
    contents.push(describe_program("kind-node", own, parts.node_agent)?);
    let document = Document {
        subject: Package::new(name.to_string(), version),
        relation: Relation::Contains,
        parts: contents,
        // That of all files in an image.
        epoch: 0,
    };
    Ok(document.to_json())
}

fn describe_program(name: &str, version: &str, path: &Path) -> Result<Package, Error> {
    Ok(Package {
        digest: Some(file_digest(path)?),
        ..Package::new(name, version)
    })
}

fn describe_etcd(version: &str, parts: &ImageParts<'_>) -> Result<Package, Error> {
    let beside = parts.programs.join(ETCD);
    match parts.etcd {
        Some(root) => describe_program(ETCD, UNKNOWN, &root.join("usr/local/bin/etcd")),
        None if beside.is_file() => describe_program(ETCD, version, &beside),
        None => Ok(Package::new(ETCD, parts.etcd_image.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    #[test]
    fn packages_and_programs_are_told_with_versions_and_digests() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let status = "Package: runc\nStatus: install ok installed\nVersion: 1.1\n";
        write(&format!("root/{STATUS}"), status);
        PROGRAMS
            .iter()
            .for_each(|name| drop(write(&format!("kubernetes/bin/{name}"), name)));
        let agent = write("agent", "agent");
        let (name, etcd) = ("a/b:c".parse().unwrap(), "k8s.io/etcd:3.5".parse().unwrap());
        let describe = |etcd_root: Option<&Path>| {
            let parts = ImageParts {
                node_root: &place.path().join("root"),
                programs: &place.path().join("kubernetes/bin"),
                etcd: etcd_root,
                etcd_image: &etcd,
                node_agent: &agent,
            };
            describe_image(&name, "v1.30.0", &parts)
        };
        let text = describe(None).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let told = |name: &str, field: &str| {
            let packages = document["packages"].as_array().unwrap();
            let package = packages.iter().find(|it| it["name"] == name).unwrap();
            package.pointer(field).unwrap().as_str().unwrap().to_owned()
        };
        assert_eq!(told("runc", "/versionInfo"), "1.1");
        assert_eq!(told("etcd", "/versionInfo"), etcd.to_string());
        let digest = told("kubelet", "/checksums/0/checksumValue");
        assert_eq!(digest, Digest::of(b"kubelet").hex());
        assert_eq!(
            told("kind-node", "/checksums/0/checksumValue"),
            Digest::of(b"agent").hex()
        );
        fs::remove_file(place.path().join("kubernetes/bin/kubectl")).unwrap();
        assert!(describe(None).is_err());
    }
}
