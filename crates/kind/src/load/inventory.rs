//! What a node's containerd has.

use std::collections::{BTreeMap, BTreeSet};

use kind_engine::Engine;
use kind_image::Digest;
use kind_image::oci::Platform;
use kind_image::packages;
use kind_kubeadm::containerd;

use crate::Result;
use crate::error::FailedStep;
use crate::node::read_output;

/// Asks everything at once. Nodes of other versions of kind have these programs too; one that cannot list
/// something lacks it, as far as we know.
const SCRIPT: &str = r#"
echo "=== machine"; uname -m
echo "=== version"; containerd --version
echo "=== config"; containerd config dump
echo "=== images"; ctr --namespace=k8s.io images list
echo "=== content"; ctr --namespace=k8s.io content list --quiet
names=$(containerd config dump | sed -n "s/^ *snapshotter = [\"']\([a-z-]\{1,\}\)[\"'] *\$/\1/p" | sort -u)
for name in $names; do
    echo "=== snapshots $name"; ctr --namespace=k8s.io snapshots --snapshotter="$name" list
done
true
"#;

/// What a node's containerd has, and how it keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    /// What the node runs.
    pub(super) platform: Option<Platform>,
    /// How layers are kept.
    pub(super) snapshotter: String,
    /// The release of containerd, as far as it is known.
    containerd: Option<packages::Release>,
    /// Names of images, and which manifests they mean.
    images: BTreeMap<String, Digest>,
    /// Blobs.
    content: BTreeSet<Digest>,
    /// Unpacked layers by the digest of each with everything below it.
    snapshots: BTreeSet<Digest>,
}

impl Inventory {
    /// Asks a node.
    pub(super) fn query_node(engine: &dyn Engine, node: &str) -> Result<Self> {
        let answer = read_output(engine, node, &["sh", "-c", SCRIPT])?;
        Self::parse(&answer).map_err(|error| {
            FailedStep {
                node: node.to_owned(),
                action: "failed to load image".to_owned(),
                reason: error.to_string(),
                output: String::new(),
                causes: Vec::new(),
            }
            .into_error()
        })
    }

    pub(super) fn parse(answer: &str) -> std::result::Result<Self, kind_kubeadm::Error> {
        let sections: BTreeMap<&str, &str> = answer
            .split("=== ")
            .filter_map(|section| section.split_once('\n'))
            .collect();
        let section = |name: &str| sections.get(name).copied().unwrap_or_default();
        let snapshotter = containerd::snapshotter(section("config"))?;
        let machine = section("machine").trim();
        Ok(Self {
            platform: (!machine.is_empty()).then(|| Platform::of_machine(machine)),
            images: section("images").lines().filter_map(parse_image).collect(),
            content: parse_digests(section("content")),
            snapshots: parse_digests(section(&format!("snapshots {snapshotter}"))),
            containerd: containerd_release(section("version")),
            snapshotter,
        })
    }

    /// Whether containerd knows the image of this id, and has its documents. Its layers are another question.
    pub(super) fn has_image(&self, id: &Digest) -> bool {
        let manifest = self.manifest(&id.to_string());
        manifest.is_some_and(|manifest| self.has_blob(manifest)) && self.has_blob(id)
    }

    /// The manifest that a name means.
    pub(super) fn manifest(&self, name: &str) -> Option<&Digest> {
        self.images.get(name)
    }

    /// Another name of what a name means.
    pub(super) fn other_name(&self, name: &str) -> Option<&str> {
        let meant = self.manifest(name)?;
        let mut others = self.images.iter().filter(|(other, _)| *other != name);
        let other = others.find(|(_, manifest)| *manifest == meant);
        other.map(|(other, _)| other.as_str())
    }

    /// Whether the image of this id is called so.
    pub(super) fn is_called(&self, id: &Digest, name: &str) -> bool {
        let meant = self.images.get(name);
        meant.is_some() && meant == self.images.get(&id.to_string())
    }

    /// Whether `ctr` hands an import over to the daemon unless it is told not to. The daemon refuses layers
    /// that are not in the archive, and unpacks for no snapshotter but the one that it is configured for.
    pub(super) fn imports_by_transfer(&self) -> bool {
        self.containerd.is_some_and(|release| release >= (2, 0))
    }

    /// Whether a blob is there.
    pub(super) fn has_blob(&self, digest: &Digest) -> bool {
        self.content.contains(digest)
    }

    /// Whether a layer is there unpacked, with everything below it.
    pub(super) fn has_unpacked(&self, chain_id: &Digest) -> bool {
        self.snapshots.contains(chain_id)
    }
}

/// The release that `containerd --version` tells: the program, where its source is, version, revision.
fn containerd_release(told: &str) -> Option<packages::Release> {
    packages::release(told.split_whitespace().nth(2)?)
}

/// A row of `ctr images list`: name, media type, digest, and what does not matter here.
fn parse_image(row: &str) -> Option<(String, Digest)> {
    let mut words = row.split_whitespace();
    let (name, digest) = (words.next()?, words.nth(1)?);
    Some((name.to_owned(), digest.parse().ok()?))
}

/// The digest that begins each row. Snapshots in the making and of containers have other names.
fn parse_digests(rows: &str) -> BTreeSet<Digest> {
    let first = rows.lines().filter_map(|row| row.split_whitespace().next());
    first.filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
impl Inventory {
    /// A node's inventory as a test wants it.
    pub(super) fn of(
        images: &[(&str, &Digest)],
        content: &[&Digest],
        snapshots: &[Digest],
    ) -> Self {
        let images = images.iter();
        Self {
            platform: Some(Platform::new("linux", "amd64")),
            snapshotter: "overlayfs".to_owned(),
            containerd: Some((1, 6)),
            images: images
                .map(|(name, digest)| ((*name).to_owned(), (*digest).clone()))
                .collect(),
            content: content.iter().copied().cloned().collect(),
            snapshots: snapshots.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "\
=== machine
aarch64
=== version
containerd github.com/containerd/containerd/v2 2.1.9+unknown 
=== config
version = 2
[plugins.\"io.containerd.grpc.v1.cri\".containerd]
  snapshotter = \"overlayfs\"
=== images
REF TYPE DIGEST SIZE PLATFORMS LABELS
docker.io/library/one:v1 application/vnd.oci.image.manifest.v1+json sha256:e2bd419d5d7c7232c7d34818ddd9233b328002d61f262b09389a8d4a1cd5a713 20.0 MiB linux/amd64 -
sha256:57b710f27b04ef41678d7934c07e148d03831f5adce42a32d8d4fbb5e11bb690 application/vnd.oci.image.manifest.v1+json sha256:e2bd419d5d7c7232c7d34818ddd9233b328002d61f262b09389a8d4a1cd5a713 20.0 MiB linux/amd64 io.cri-containerd.image=managed
=== content
sha256:57b710f27b04ef41678d7934c07e148d03831f5adce42a32d8d4fbb5e11bb690
sha256:e2bd419d5d7c7232c7d34818ddd9233b328002d61f262b09389a8d4a1cd5a713
=== snapshots overlayfs
KEY PARENT KIND
sha256:28c5678571a91f012673ef8fa97eaf31fd751c4331fc9466b6e7d36e28cdabbc sha256:a2d78a970329197ba66ed3dde2c18d0095c9a640dbc638b05c6eb6c84ccac54a Committed
0d1e2f sha256:28c5678571a91f012673ef8fa97eaf31fd751c4331fc9466b6e7d36e28cdabbc Active
=== snapshots native
sha256:a2d78a970329197ba66ed3dde2c18d0095c9a640dbc638b05c6eb6c84ccac54a Committed
";

    #[test]
    fn an_answer_is_understood() {
        let found = Inventory::parse(ANSWER).unwrap();
        assert_eq!(found.platform.as_ref().unwrap().to_string(), "linux/arm64");
        assert_eq!(found.snapshotter, "overlayfs");
        let id: Digest = "sha256:57b710f27b04ef41678d7934c07e148d03831f5adce42a32d8d4fbb5e11bb690"
            .parse()
            .unwrap();
        assert!(found.has_image(&id) && found.has_blob(&id));
        // A name without what it means is none: pods with that image cannot start.
        for document in ["57b710f2", "e2bd419d"] {
            let row = format!("\nsha256:{document}");
            let content = ANSWER.find("=== content").unwrap();
            let place = content + ANSWER[content..].find(&row).unwrap();
            let without = format!("{}{}", &ANSWER[..=place], &ANSWER[place + row.len() + 57..]);
            let lacking = Inventory::parse(&without).unwrap();
            assert!(!lacking.has_image(&id), "{without}");
        }
        assert_eq!(
            found.other_name("docker.io/library/one:v1"),
            Some(id.to_string().as_str())
        );
        assert!(found.is_called(&id, "docker.io/library/one:v1"));
        assert!(!found.is_called(&id, "docker.io/library/two:v1"));
        assert_eq!(
            found.snapshots.len(),
            1,
            "containers' own snapshots are none"
        );
        assert!(found.imports_by_transfer());
        assert!(Inventory::parse("=== machine\nx86_64\n").is_err());
    }

    /// As Debian's packages and published node images tell it.
    #[test]
    fn releases_of_containerd_are_understood() {
        for (told, release) in [
            (
                "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1",
                Some((1, 6)),
            ),
            (
                "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1",
                Some((1, 7)),
            ),
            (
                "containerd github.com/containerd/containerd/v2 2.1.9+unknown \n",
                Some((2, 1)),
            ),
            (
                "containerd github.com/containerd/containerd/v2 v2.3.4 8b2b1c5a",
                Some((2, 3)),
            ),
            ("sh: containerd: not found", None),
            ("", None),
        ] {
            assert_eq!(containerd_release(told), release, "{told}");
        }
    }
}
