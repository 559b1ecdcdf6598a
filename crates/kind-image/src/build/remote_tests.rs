//! Server tarballs from a server on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::cache::{BuildCache, StepOutput};
use super::host::host_architecture;
use super::tarball::{PROGRAMS, tests::tarball};
use super::{AddOns, Error, Event, Request, Source, Stop, remote};
use crate::Code;
use crate::Digest;
use crate::http::testing::{Server, write_response};

/// A place with a cache, and a server that has one tarball.
struct World {
    place: tempfile::TempDir,
    server: Server,
    told: Mutex<Vec<String>>,
}

/// What is wrong with the server.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    WrongDigest,
    Truncated,
    NotGzip,
    Missing,
}

impl World {
    fn new(fault: Fault) -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = tarball(place.path(), PROGRAMS, "#!/bin/sh\necho v1.33.4\n");
        let bytes = fs::read(path).unwrap();
        let good = Digest::of(&bytes);
        let server = Server::start(move |head, stream| {
            let path = head.split(' ').nth(1).unwrap_or_default();
            match path {
                _ if fault == Fault::Missing => write_response(stream, "404 Not Found", "", b""),
                "/ci/latest.txt" => {
                    write_response(stream, "200 OK", "", b"v1.34.0-alpha.1.5+abcdef\n")
                }
                "/ci/odd.txt" => write_response(stream, "200 OK", "", b"<html>\n"),
                _ if path.ends_with(".sha256") => {
                    let wrong = Digest::of(b"other");
                    let digest = if fault == Fault::WrongDigest {
                        &wrong
                    } else {
                        &good
                    };
                    write_response(stream, "200 OK", "", digest.hex().as_bytes());
                }
                _ if fault == Fault::NotGzip => {
                    write_response(stream, "200 OK", "", b"<html>hello</html>")
                }
                _ if head.starts_with("HEAD") => {
                    let length = bytes.len();
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\nconnection: close\r\nlast-modified: now\r\ncontent-length: {length}\r\n\r\n"
                    );
                }
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
fn an_address_is_asked_whether_it_has_something_new() {
    let world = World::new(Fault::None);
    let url = world.server.url("/mine.tar.gz");
    let made = world.make("url", &url).unwrap();
    let asked = world.server.heard().len();
    assert_eq!(world.make("url", &url).unwrap().path, made.path);
    assert_eq!(world.server.heard().len(), asked + 1);
    let told = world.told.lock().unwrap().clone();
    assert_eq!(told[0], format!("Building using URL: \"{url}\""));
}

#[test]
fn what_goes_wrong_is_told_with_the_address() {
    let error = World::failure(Fault::Missing, "release", "v1.33.4");
    let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    assert!(
        text.contains("cannot download http://") && text.contains("/v1.33.4/"),
        "{text}"
    );
    assert_eq!(error.code(), Code::DownloadStatus);
    assert!(error.remedy().unwrap().contains("debian"));
    let error = World::failure(Fault::WrongDigest, "release", "v1.33.4");
    assert!(error.to_string().contains("the published one"), "{error}");
    let error = World::failure(Fault::NotGzip, "url", "SERVER/x.tar.gz");
    assert!(
        error.to_string().contains("not compressed with gzip"),
        "{error}"
    );
    let error = World::failure(Fault::Truncated, "url", "SERVER/x.tar.gz");
    assert_eq!(error.code(), Code::DownloadBroken);
    let error = World::failure(Fault::None, "url", "http://nowhere.invalid/x.tar.gz");
    assert_eq!(error.code(), Code::DownloadLookup);
}
