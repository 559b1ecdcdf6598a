//! The files that make a Debian root a kind node.

use std::path::Path;

use serde_json::json;

use super::cache::StepContext;
use super::chroot::Chroot;
use super::tree;
use super::{AddOns, Error};
use crate::Reference;
use crate::packages::{self, Packages};

/// Files whose content is always the same: path, mode, content.
const FILES: &[(&str, u32, &str)] = &[
    ("etc/crictl.yaml", 0o644, include_str!("files/crictl.yaml")),
    (
        "etc/sysctl.d/99-kind.conf",
        0o644,
        include_str!("files/99-kind.conf"),
    ),
    (
        "etc/systemd/system.conf.d/stopping.conf",
        0o644,
        include_str!("files/stopping.conf"),
    ),
    (
        "etc/systemd/system/containerd.service",
        0o644,
        include_str!("files/containerd.service"),
    ),
    (
        "etc/systemd/system/kubelet.service",
        0o644,
        include_str!("files/kubelet.service"),
    ),
    (
        "etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        0o644,
        include_str!("files/10-kubeadm.conf"),
    ),
    (
        "etc/systemd/system/kubelet.service.d/11-kind.conf",
        0o644,
        include_str!("files/11-kind.conf"),
    ),
    (
        "etc/systemd/system/undo-mount-hacks.service",
        0o644,
        include_str!("files/undo-mount-hacks.service"),
    ),
    (
        "usr/local/bin/entrypoint",
        0o755,
        include_str!("files/entrypoint.sh"),
    ),
];
/// What only a kubelet with code for docker in it needs.
const NO_DOCKER: &[(&str, u32, &str)] = &[
    (
        "etc/systemd/system/no-docker.socket",
        0o644,
        include_str!("files/no-docker.socket"),
    ),
    (
        "etc/systemd/system/no-docker@.service",
        0o644,
        include_str!("files/no-docker@.service"),
    ),
    (
        "usr/local/lib/kind/no-docker",
        0o755,
        include_str!("files/no-docker.sh"),
    ),
];
const UNITS: &[&str] = &[
    "containerd.service",
    "kubelet.service",
    "undo-mount-hacks.service",
];
const DIRECTORIES: &[&str] = &[
    "etc/kubernetes/manifests",
    "etc/containerd/certs.d",
    "kind/bin",
    "kind/manifests",
];

/// Where the document is that tells what the image is made of.
const CONTENTS: &str = "usr/share/kind/sbom.spdx.json";

/// What stands in manifests for the image that kubeadm knows as cluster DNS.
const DNS_IMAGE: &str = "COREDNS_IMAGE";
/// What stands between the objects of a manifest.
const SEPARATOR: &str = "---\n";
/// How an object of a manifest begins that only a minor release of Kubernetes 1 and its successors know.
const NEEDS: &str = "# needs Kubernetes 1.";

/// What the files say.
pub(super) struct NodeFileInputs<'a> {
    /// Version of Kubernetes, with a leading `v`.
    pub(super) version: &'a str,
    /// Name of the pause image.
    pub(super) sandbox_image: &'a Reference,
    /// What kubeadm calls the image of cluster DNS.
    pub(super) dns_image: &'a Reference,
    /// Manifests and the `kind-node` program.
    pub(super) add_ons: &'a AddOns,
    /// Root filesystem of nodes.
    pub(super) node_root: &'a Path,
    /// What is installed in it.
    pub(super) packages: &'a Packages,
    /// What the image is made of.
    pub(super) contents: &'a str,
}

/// Writes all files into an empty directory that becomes a layer.
pub(super) fn write_node_files(
    work: &StepContext<'_>,
    layer: &Path,
    inputs: &NodeFileInputs<'_>,
) -> Result<(), Error> {
    for directory in DIRECTORIES {
        tree::make_directory(&layer.join(directory))?;
    }
    for (path, mode, text) in FILES {
        put_file(layer, path, *mode, text)?;
    }
    for unit in UNITS {
        enable_unit(layer, "multi-user.target", unit)?;
    }
    if knows_docker(inputs.version) {
        for (path, mode, text) in NO_DOCKER {
            put_file(layer, path, *mode, text)?;
        }
        enable_unit(layer, "sockets.target", "no-docker.socket")?;
    }
    put_file(
        layer,
        "etc/containerd/config.toml",
        0o644,
        &containerd_config(inputs),
    )?;
    put_file(
        layer,
        "etc/containerd/cri-base.json",
        0o644,
        &base_spec(work, inputs)?,
    )?;
    put_file(
        layer,
        "etc/default/kubelet",
        0o644,
        &kubelet_defaults(inputs.version),
    )?;
    put_file(layer, "kind/version", 0o644, inputs.version)?;
    put_file(layer, packages::RECORD, 0o644, &inputs.packages.to_json())?;
    put_file(layer, CONTENTS, 0o644, inputs.contents)?;
    put_manifests(layer, inputs)?;
    let program = layer.join("usr/local/bin/kind-node");
    tree::copy_program(&inputs.add_ons.node_agent, &program)?;
    // The program knows by this name that it is called as crictl, which Debian has not.
    tree::make_link(&layer.join("usr/local/bin/crictl"), "kind-node")?;
    tree::settle_tree(layer)
}

fn put_manifests(layer: &Path, inputs: &NodeFileInputs<'_>) -> Result<(), Error> {
    let dns_image = inputs.dns_image.to_string();
    let mut manifests = inputs.add_ons.manifests.iter();
    manifests.try_for_each(|(name, text)| {
        let text = known_objects(text, inputs.version).replace(DNS_IMAGE, &dns_image);
        put_file(layer, &format!("kind/manifests/{name}"), 0o644, &text)
    })
}

/// A manifest without the objects that this version does not know.
fn known_objects(manifest: &str, version: &str) -> String {
    let is_known = |object: &&str| {
        let needed = object
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(NEEDS));
        let needed = needed.and_then(|minor| minor.parse().ok());
        needed.is_none_or(|minor| is_since(version, (1, minor)))
    };
    let objects: Vec<&str> = manifest.split(SEPARATOR).filter(is_known).collect();
    objects.join(SEPARATOR)
}

fn put_file(layer: &Path, path: &str, mode: u32, text: &str) -> Result<(), Error> {
    tree::write_file(&layer.join(path), mode, text)
}

fn enable_unit(layer: &Path, target: &str, unit: &str) -> Result<(), Error> {
    let wants = layer.join(format!("etc/systemd/system/{target}.wants"));
    tree::make_link(&wants.join(unit), &format!("/etc/systemd/system/{unit}"))
}

fn containerd_config(inputs: &NodeFileInputs<'_>) -> String {
    include_str!("files/containerd.toml")
        .replace("{sandbox_image}", &inputs.sandbox_image.to_string())
        .replace(
            "{systemd_cgroup}",
            &uses_systemd_cgroups(inputs.version).to_string(),
        )
}

/// Arguments of the kubelet beside kubeadm's.
///
/// A kubelet before 1.22 looks at a pod again when something of it starts or ends, else once a minute. The
/// pods of the control plane start before the API server could be told of them: without more frequent
/// looks they are missing from its list for that minute.
fn kubelet_defaults(version: &str) -> String {
    let mut text = include_str!("files/default-kubelet").trim_end().to_owned();
    if !is_since(version, (1, 22)) {
        text.push_str(" --sync-frequency=5s");
    }
    if knows_docker(version) {
        text.push_str(" --docker=unix:///run/kind/no-docker.sock");
    }
    text.push('\n');
    text
}

/// Whether the kubelet looks for docker before it starts, wherever its containers run.
fn knows_docker(version: &str) -> bool {
    !is_since(version, (1, 24))
}

/// kubeadm makes the kubelet use systemd's cgroup driver from 1.22 on; kind's images from 1.24 on.
fn uses_systemd_cgroups(version: &str) -> bool {
    is_since(version, (1, 24))
}

/// The version is that minor release or a later one; one that cannot be read is taken for new.
pub(super) fn is_since(version: &str, release: (u32, u32)) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= release,
        _ => true,
    }
}

/// containerd's own base for containers, without what a restricted host forbids: limits of their own,
/// which could only be lower or refused, and a score for the out-of-memory killer; with the step that
/// hides the host's product from containers.
fn base_spec(work: &StepContext<'_>, inputs: &NodeFileInputs<'_>) -> Result<String, Error> {
    let text =
        work.command_output(Chroot::new(inputs.node_root).command(["ctr", "oci", "spec"]))?;
    adapt_spec(&text).ok_or_else(|| Error::Unexpected {
        step: work.step,
        what: "`ctr oci spec` did not print a runtime specification".to_owned(),
    })
}

fn adapt_spec(spec: &str) -> Option<String> {
    let mut spec: serde_json::Value = serde_json::from_str(spec).ok()?;
    let process = spec.get_mut("process")?.as_object_mut()?;
    process.remove("rlimits");
    process.remove("oomScoreAdj");
    let hook = json!({
        "path": "/usr/local/bin/kind-node",
        "args": ["kind-node", "boot", "product-files"],
    });
    spec.as_object_mut()?
        .insert("hooks".to_owned(), json!({"createContainer": [hook]}));
    serde_json::to_string_pretty(&spec).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_kubernetes_has_no_systemd_cgroups() {
        for (version, expected) in [
            ("v1.20.2", false),
            ("v1.23.17", false),
            ("v1.24.0", true),
            ("v1.36.2", true),
            ("v2.0.0", true),
        ] {
            assert_eq!(uses_systemd_cgroups(version), expected, "{version}");
        }
    }

    #[test]
    fn only_old_kubelets_look_at_pods_more_often() {
        assert!(kubelet_defaults("v1.20.2").contains(" --sync-frequency=5s"));
        assert!(!kubelet_defaults("v1.22.0").contains("sync"));
    }

    #[test]
    fn only_old_kubelets_look_for_docker() {
        let flag = " --docker=unix:///run/kind/no-docker.sock\n";
        assert!(kubelet_defaults("v1.23.17").ends_with(flag));
        assert!(!kubelet_defaults("v1.24.0").contains("docker"));
    }

    #[test]
    fn only_pods_links_lead_to_loopback_addresses() {
        let settings = include_str!("files/99-kind.conf").lines();
        let mut settings = settings.filter(|line| line.contains("route_localnet"));
        assert_eq!(
            settings.next(),
            Some("net.ipv4.conf.default.route_localnet=1")
        );
        assert_eq!(settings.next(), None);
    }

    #[test]
    fn objects_come_with_the_release_that_knows_them() {
        let manifest = "a\n---\n# needs Kubernetes 1.30\n# why\nb\n---\nc\n";
        assert_eq!(known_objects(manifest, "v1.30.0"), manifest);
        assert_eq!(known_objects(manifest, "v1.29.14"), "a\n---\nc\n");
    }

    #[test]
    fn limits_leave_the_base_specification_and_the_hook_comes() {
        let spec =
            r#"{"process":{"cwd":"/","rlimits":[{"type":"RLIMIT_NOFILE"}],"oomScoreAdj":1}}"#;
        let spec: serde_json::Value = serde_json::from_str(&adapt_spec(spec).unwrap()).unwrap();
        assert_eq!(spec["process"], json!({"cwd": "/"}));
        let hook = &spec["hooks"]["createContainer"][0];
        assert_eq!(hook["args"], json!(["kind-node", "boot", "product-files"]));
        assert_eq!(adapt_spec("no JSON"), None);
    }
}
