//! What current engines answer, recorded from them: docker 26.1 and 28.5, podman 5.4 and 5.8.
//!
//! `recorded/ENGINE-VERSION/` holds the parts of their JSON that matter, and what they say of things that are
//! not there or taken (`said.json`). All were asked by root for the same: a network, an image, a container on it,
//! which runc started: 1.1.15 of Debian 13 for docker 26.1 and podman 5.4, 1.3.6 of Debian's sid for the others.
//!
//! `recorded/ENGINE-VERSION-rootless/` holds what an ordinary user's engine tells of itself, on Debian 13 with the
//! unified cgroup hierarchy. Its podman starts containers with crun 1.21.
//!
//! `recorded/ENGINE-VERSION-changes/` was not recorded: it is the newest recorded answer, changed as the engine's own
//! documents say that the version does. Docker 29: moby's `api/docs/CHANGELOG.md` (API v1.49 to v1.53) and the types in
//! `api/types/network`: empty fields of an image's `Config` and the addresses beside `Networks` are left out, networks
//! have a `Status`, images are containerd's. Podman 6: `libpod/define/info.go` and the release notes of 6.0.0: cgroup v2
//! and netavark only, without slirp4netns and the store's `configFile`.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde_json::Value;

use super::version::Version;
use super::{FailureReason, Flavor, images, info, listing, network, seed};
use crate::{Node, State};

/// The recorded engines.
const RECORDED: [&str; 4] = [
    "docker-26.1.5",
    "docker-28.5.2",
    "podman-5.4.2",
    "podman-5.8.6",
];

/// Made after documents.
const CHANGED: [&str; 2] = ["docker-29.0.2-changes", "podman-6.0.0-changes"];

struct Recorded(&'static str);

impl Recorded {
    fn all() -> impl Iterator<Item = Self> {
        RECORDED.into_iter().map(Self)
    }

    /// All that tell this, also those after documents.
    fn all_with(file: &str) -> impl Iterator<Item = Self> {
        let all = RECORDED.into_iter().chain(CHANGED).map(Self);
        all.filter(move |recorded| recorded.path(file).exists())
    }

    fn path(&self, file: &str) -> PathBuf {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/command_line/recorded");
        directory.join(self.0).join(file)
    }

    fn flavor(&self) -> Flavor {
        if self.0.starts_with("podman") {
            Flavor::Podman
        } else {
            Flavor::Docker
        }
    }

    fn read(&self, file: &str) -> String {
        let path = self.path(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }

    fn node(&self, file: &str) -> Node {
        let mut nodes = listing::parse_nodes(self.flavor(), &self.read(file)).unwrap();
        assert_eq!(nodes.len(), 1, "{}", self.0);
        nodes.remove(0)
    }

    /// What it said, as a program prints it.
    fn said(&self, what: &str) -> String {
        let said: Value = serde_json::from_str(&self.read("said.json")).unwrap();
        let text = said[what]["text"].as_str();
        text.unwrap_or_else(|| panic!("{}: {what}", self.0))
            .to_owned()
    }
}

#[test]
fn engines_tell_of_themselves() {
    for recorded in Recorded::all_with("info.json") {
        let info = info::parse_info(recorded.flavor(), &recorded.read("info.json")).unwrap();
        let version = recorded.0.split('-').nth(1).unwrap();
        assert_eq!(
            Version::parse(&info.version),
            Version::parse(version),
            "{info:?}"
        );
        assert_eq!(
            (info.hostname.as_str(), info.architecture.as_str()),
            ("lab", "amd64")
        );
        assert!(
            info.limits.are_complete() && !info.rootless && !info.user_namespaces,
            "{info:?}"
        );
        assert!(
            info.storage_driver.starts_with("overlay") && info.warnings.is_empty(),
            "{info:?}"
        );
    }
}

#[test]
fn rootless_engines_tell_of_themselves() {
    for name in ["docker-26.1.5-rootless", "podman-5.4.2-rootless"] {
        let recorded = Recorded(name);
        let info = info::parse_info(recorded.flavor(), &recorded.read("info.json")).unwrap();
        assert!(
            info.rootless && info.cgroup2 && info.limits.are_complete(),
            "{info:?}"
        );
        assert!(
            !info.user_namespaces && info.storage_driver.starts_with("overlay"),
            "{info:?}"
        );
        assert_eq!(info.backing_filesystem, "extfs");
        assert!(info.warnings.is_empty(), "{info:?}");
    }
}

#[test]
fn networks_of_ours_give_lasting_addresses() {
    for recorded in Recorded::all_with("network.json") {
        let known =
            network::answer::read(recorded.flavor(), "kind", &recorded.read("network.json"));
        let known = known.unwrap().unwrap();
        let range = known.subnets.range.map(|range| range.to_string());
        assert_eq!(range.as_deref(), Some("10.201.0.0/17"), "{}", recorded.0);
        assert!(known.settings.gives_names());
        let network = known.network;
        assert!(network.lasting_addresses, "{}", recorded.0);
        assert_eq!(
            network.subnets,
            ["10.201.0.0/16", "fc00:f853:ccd:e793::/64"]
        );
    }
}

#[test]
fn images_tell_what_they_run() {
    for recorded in Recorded::all_with("image.json") {
        let images =
            images::parse_images(recorded.flavor(), "i", &recorded.read("image.json")).unwrap();
        let image = images.into_iter().next().unwrap();
        assert_eq!(
            image.command(),
            ["/busybox", "sleep", "1000"],
            "{}",
            recorded.0
        );
        assert!(!image.id.is_empty());
        assert_eq!(image.info().labels["a"], "b");
    }
}

#[test]
fn containers_are_nodes_in_every_state() {
    for recorded in Recorded::all_with("created.json") {
        for (file, state) in [
            ("created.json", State::Created),
            ("running.json", State::Running),
            ("stopped.json", State::Exited(Some(137))),
        ] {
            let node = recorded.node(file);
            assert_eq!(
                (node.state, node.name.as_str()),
                (state, "rec-a"),
                "{}",
                recorded.0
            );
            assert_eq!((node.cluster(), node.role()), ("rec", "control-plane"));
            assert_eq!(node.image, "docker.io/kindest/node:rec");
            assert_eq!(
                node.ipv4,
                Some(Ipv4Addr::new(10, 201, 128, 5)),
                "{} {file}",
                recorded.0
            );
            let [port] = &node.ports[..] else {
                panic!("{}: {node:?}", recorded.0)
            };
            assert_eq!(
                (port.listen.to_string().as_str(), port.host),
                ("127.0.0.1", 45671)
            );
        }
    }
}

#[test]
fn a_container_tells_whether_it_waits_for_files() {
    for recorded in Recorded::all() {
        let answer = recorded.said("awaited");
        assert!(!seed::reads_seeds(&answer), "{answer}");
        assert!(
            seed::reads_seeds(&answer.replace("sleep", "seed")),
            "{answer}"
        );
    }
}

#[test]
fn complaints_are_understood() {
    for recorded in Recorded::all() {
        for (what, failure_reason) in [
            ("port-taken", FailureReason::PortTaken),
            ("address-taken", FailureReason::AddressTaken),
            ("pull-missing", FailureReason::NoRegistry),
            // That an image is not there is no trouble of the engine's.
            ("image-missing", FailureReason::Unknown),
            ("network-missing", FailureReason::Unknown),
        ] {
            let said = recorded.said(what);
            assert_eq!(
                FailureReason::of_output(&said),
                failure_reason,
                "{}: {said}",
                recorded.0
            );
        }
        for gone in ["missing", "exec-missing"] {
            let said = recorded.said(gone);
            assert!(listing::is_gone(said.as_bytes()), "{}: {said}", recorded.0);
        }
        let taken = recorded.said("taken");
        assert!(
            super::failure_reason::is_taken(&taken, "rec-a"),
            "{}: {taken}",
            recorded.0
        );
        assert!(!super::failure_reason::is_taken(
            &recorded.said("missing"),
            "rec-none"
        ));
    }
}

#[test]
fn docker_29_keeps_images_in_containerd() {
    let recorded = Recorded(CHANGED[0]);
    let info = info::parse_info(Flavor::Docker, &recorded.read("info.json")).unwrap();
    assert!(info.containerd_images && info.cgroup2, "{info:?}");
    // An image without anything to say of itself.
    let bare = images::parse_images(Flavor::Docker, "i", r#"[{"Id":"sha256:0","Config":{}}]"#);
    let bare = bare.unwrap().remove(0);
    assert!(bare.command().is_empty() && bare.info().labels.is_empty());
}
