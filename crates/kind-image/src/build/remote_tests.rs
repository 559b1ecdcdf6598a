//! Server tarballs from a server on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::cache::{BuildCache, StepOutput};
use super::host::host_architecture;
use super::tarball::{PROGRAMS, tests::tarball};
use super::{AddOns, Error, Event, RELEASES, Request, Source, Stop, remote};
use crate::Code;
use crate::Digest;
use crate::http::testing::{Server, write_response};

/// A place with a cache, and a server that has one tarball.
struct World {
    place: tempfile::TempDir,
    server: Server,
    /// Of its tarball.
    digest: Digest,
    told: Mutex<Vec<String>>,
}

const NO_TARBALL: &[u8] = b"<html>hello</html>";

/// What is wrong with the server.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    WrongDigest,
    NoDigest,
    Truncated,
    NotGzip,
    Missing,
}

impl World {
    fn new(fault: Fault) -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = tarball(place.path(), PROGRAMS, "v1.33.4");
        let bytes = fs::read(path).unwrap();
        let good = Digest::of(&bytes);
        let known = match fault {
            Fault::NotGzip => Digest::of(NO_TARBALL),
            _ => good.clone(),
        };
        let server = Server::start(move |head, stream| {
            let path = head.split(' ').nth(1).unwrap_or_default();
            match path {
                _ if fault == Fault::Missing => write_response(stream, "404 Not Found", "", b""),
                "/ci/latest.txt" => {
                    write_response(stream, "200 OK", "", b"v1.34.0-alpha.1.5+abcdef\n")
                }
                "/ci/odd.txt" => write_response(stream, "200 OK", "", b"<html>\n"),
                _ if fault == Fault::NoDigest && path.contains("/digests/") => {
                    write_response(stream, "200 OK", "", b"<html>")
                }
                _ if path.starts_with("/digests/") => {
                    let wrong = Digest::of(b"other");
                    let digest = if fault == Fault::WrongDigest {
                        &wrong
                    } else {
                        &good
                    };
                    let name = format!(
                        "kubernetes-server-linux-{}.tar.gz",
                        host_architecture().unwrap()
                    );
                    let hex = digest.hex();
                    let text = if path.ends_with(".md") {
                        format!("[x](https://dl.k8s.io/v1.33.4/{name}) | `{hex}`\n")
                    } else {
                        format!("{hex}\n")
                    };
                    write_response(stream, "200 OK", "", text.as_bytes());
                }
                _ if fault == Fault::NotGzip => write_response(stream, "200 OK", "", NO_TARBALL),
                _ if fault == Fault::Truncated => {
                    let length = bytes.len();
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"
                    );
                    let _ = stream.write_all(&bytes[..100]);
                }
                _ => write_response(stream, "200 OK", "last-modified: now\r\n", &bytes),
            }
        });
        Self {
            place,
            server,
            digest: known,
            told: Mutex::default(),
        }
    }

    fn cache(&self) -> PathBuf {
        self.place.path().join("cache")
    }

    fn make(&self, kind: &str, text: &str) -> Result<StepOutput, Error> {
        let add_ons = AddOns {
            manifests: BTreeMap::new(),
            node_agent: PathBuf::new(),
        };
        let source = Source::of_type(kind, text).unwrap();
        let mut request = Request::new(source, "node".parse().unwrap(), add_ons, self.cache());
        request.download_base = self.server.url("/");
        request.digest_places.changelogs = self.server.url("/digests");
        request.digest_places.ci = self.server.url("/digests");
        let observer = |event: Event<'_>| match event {
            Event::Note { text } => self.told.lock().unwrap().push(text.to_owned()),
            Event::Transfer(progress) if progress.is_finished() => {
                self.told.lock().unwrap().push("finished".to_owned());
            }
            _ => {}
        };
        let build_cache =
            BuildCache::open_directory(&self.cache(), &observer, &Stop::default()).unwrap();
        remote::make_from_remote(&build_cache, &request)
    }

    fn failure(fault: Fault, kind: &str, text: &str) -> Error {
        let world = Self::new(fault);
        let text = text.replace("SERVER", &world.server.url(""));
        let text = text.replace("DIGEST", &world.digest.to_string());
        let error = world.make(kind, &text).unwrap_err();
        assert!(
            !world.cache().join("tmp").exists(),
            "temporary files are removed"
        );
        assert!(!world.cache().join("unpack").exists());
        error
    }
}

fn version(made: &StepOutput) -> String {
    fs::read_to_string(made.path.join("version")).unwrap()
}

#[test]
fn a_release_is_brought_once() {
    let world = World::new(Fault::None);
    let made = world.make("release", "1.33.4").unwrap();
    assert_eq!(version(&made), "v1.33.4");
    assert!(Path::new(&made.path.join("bin/kubelet")).exists());
    let told = world.told.lock().unwrap().clone();
    assert_eq!(told[0], "Building using release \"1.33.4\" artifacts");
    assert!(told.contains(&"finished".to_owned()), "{told:?}");
    let asked = world.server.heard().len();
    let path = format!(
        "GET /v1.33.4/kubernetes-server-linux-{}.tar.gz ",
        host_architecture().unwrap()
    );
    assert!(
        world.server.heard()[asked - 1].starts_with(&path),
        "{:?}",
        world.server.heard()
    );
    assert_eq!(world.make("release", "v1.33.4").unwrap().path, made.path);
    assert_eq!(
        world.server.heard().len(),
        asked,
        "the network is not needed again"
    );
}

#[test]
fn a_ci_build_is_found_by_its_marker() {
    let world = World::new(Fault::None);
    world.make("ci", "").unwrap();
    let told = world.told.lock().unwrap().clone();
    assert_eq!(
        told[0],
        format!("Fetching \"{}\"", world.server.url("/ci/latest.txt"))
    );
    assert_eq!(told[1], "Resolved CI version: v1.34.0-alpha.1.5+abcdef");
    let heard = world.server.heard();
    assert!(
        heard
            .iter()
            .any(|head| head.starts_with("GET /ci/v1.34.0-alpha.1.5+abcdef/"))
    );
    assert_eq!(
        world.make("ci", "ci/odd").unwrap_err().code(),
        Code::BuildSourceVersion
    );
}

#[test]
fn an_address_needs_a_digest_and_is_brought_once() {
    let world = World::new(Fault::None);
    let url = world.server.url("/mine.tar.gz");
    let error = world.make("url", &url).unwrap_err();
    assert_eq!(error.code(), Code::BuildDigestMissing);
    assert!(error.remedy().unwrap().contains("@sha256:"));
    assert_eq!(world.server.heard().len(), 0, "nothing is asked for");
    let pinned = format!("{url}@{}", world.digest);
    let made = world.make("url", &pinned).unwrap();
    let asked = world.server.heard().len();
    assert_eq!(world.make("url", &pinned).unwrap().path, made.path);
    assert_eq!(world.server.heard().len(), asked);
    let told = world.told.lock().unwrap().clone();
    assert_eq!(told[0], format!("Building using URL: \"{url}\""));
}

#[test]
fn the_address_of_a_release_is_the_release() {
    let world = World::new(Fault::None);
    let name = format!(
        "kubernetes-server-linux-{}.tar.gz",
        host_architecture().unwrap()
    );
    let made = world
        .make("url", &format!("{RELEASES}/v1.33.4/{name}"))
        .unwrap();
    assert_eq!(version(&made), "v1.33.4");
    let changelog = world
        .server
        .heard()
        .into_iter()
        .find(|head| head.contains("CHANGELOG-1.33"));
    assert!(changelog.is_some(), "another host tells the digest");
    for other in ["v1.33.4/kubernetes-client-linux-amd64.tar.gz", "latest/x"] {
        let error = world
            .make("url", &format!("{RELEASES}/{other}"))
            .unwrap_err();
        assert_eq!(error.code(), Code::BuildDigestMissing, "{other}");
    }
}

#[test]
fn a_digest_of_the_user_needs_no_second_place() {
    let world = World::new(Fault::NoDigest);
    for (kind, source) in [("release", "v1.33.4"), ("ci", "latest")] {
        let error = world.make(kind, source).unwrap_err();
        assert_eq!(error.code(), Code::BuildDigestMissing, "{kind}");
    }
    let tarballs = world.server.heard();
    assert!(
        !tarballs.iter().any(|head| head.contains(".tar.gz ")),
        "nothing is brought"
    );
    let pinned = format!("v1.33.4@{}", world.digest);
    assert_eq!(version(&world.make("release", &pinned).unwrap()), "v1.33.4");
    let wrong = pinned.replace(world.digest.hex(), Digest::of(b"").hex());
    assert_eq!(
        world.make("release", &wrong).unwrap_err().code(),
        Code::BuildTarball
    );
}

#[test]
fn what_goes_wrong_is_told_with_the_address() {
    let error = World::failure(Fault::Missing, "release", "v1.33.4");
    let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    assert!(
        text.contains("cannot download the changelog") && text.contains("CHANGELOG-1.33.md"),
        "{text}"
    );
    assert_eq!(error.code(), Code::DownloadStatus);
    assert!(error.remedy().unwrap().contains("debian"));
    let error = World::failure(Fault::WrongDigest, "release", "v1.33.4");
    assert!(
        error.to_string().contains("but it should be sha256:"),
        "{error}"
    );
    let error = World::failure(Fault::NotGzip, "url", "SERVER/x.tar.gz@DIGEST");
    assert!(
        error.to_string().contains("not compressed with gzip"),
        "{error}"
    );
    let error = World::failure(Fault::Truncated, "url", "SERVER/x.tar.gz@DIGEST");
    assert_eq!(error.code(), Code::DownloadBroken);
    let error = World::failure(Fault::None, "url", "http://nowhere.invalid/x.tar.gz@DIGEST");
    assert_eq!(error.code(), Code::DownloadLookup);
}
