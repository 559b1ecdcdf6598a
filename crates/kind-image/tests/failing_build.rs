//! Builds that cannot succeed: each failure says what, why and what to do. The real `mmdebstrap` runs, so
//! these need root and that program.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::error::Error as _;

use kind_image::Code;
use kind_image::Store;
use kind_image::build::{AddOns, Error, Request, Source, build};
use kind_testkit::machine::{require_programs, require_root};
use tempfile::TempDir;

fn request(place: &TempDir, source: Source) -> Request {
    let add_ons = AddOns {
        manifests: [].into(),
        node_agent: "/bin/true".into(),
    };
    let name = "kind.local/node:test".parse().unwrap();
    Request::new(source, name, add_ons, place.path().join("cache"))
}

fn fail(place: &TempDir, request: &Request) -> Error {
    let store = Store::open(&place.path().join("store")).unwrap();
    build(&store, request, &|_| {}).unwrap_err()
}

/// Nothing listens on the port of the discard service.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A failure with its causes.
fn told(error: &Error) -> String {
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(deeper) = cause {
        told = format!("{told}: {deeper}");
        cause = deeper.source();
    }
    told
}

#[test]
fn downloads_that_nobody_serves_name_what_was_tried() {
    let place = TempDir::new().unwrap();
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let url = format!("{NOWHERE}/server.tar.gz@sha256:{digest}");
    for source in ["v1.33.4", "ci/latest", &url] {
        let mut request = request(&place, Source::parse(source));
        NOWHERE.clone_into(&mut request.download_base);
        NOWHERE.clone_into(&mut request.digest_places.changelogs);
        NOWHERE.clone_into(&mut request.digest_places.ci);
        let error = fail(&place, &request);
        assert_eq!(error.code(), Code::DownloadConnect, "{error}");
        let told = told(&error);
        assert!(told.contains(NOWHERE), "{told}");
        assert!(error.remedy().is_some(), "{error}");
    }
}

#[test]
fn sources_that_are_not_there_are_named() {
    let place = TempDir::new().unwrap();
    let missing = place.path().join("missing");
    let error = fail(&place, &request(&place, Source::File(missing.clone())));
    assert_eq!(error.code(), Code::BuildIo, "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
    let error = fail(&place, &request(&place, Source::parse("no-such-tree")));
    assert!(error.to_string().contains("no-such-tree"), "{error}");
}

#[test]
fn a_mirror_that_does_not_answer_is_explained() {
    require_root();
    require_programs(&["mmdebstrap"]);
    let place = TempDir::new().unwrap();
    let mut request = request(&place, Source::Debian);
    request.mirror = Some(format!("{NOWHERE}/debian"));
    let error = fail(&place, &request);
    assert_eq!(error.code(), Code::BuildCommand, "{error}");
    assert!(error.remedy().unwrap().contains("mirror"));
    assert!(error.source().unwrap().to_string().contains("127.0.0.1"));
    let log = std::fs::read_to_string(error.log().unwrap()).unwrap();
    assert!(log.starts_with("+ mmdebstrap"), "{log}");
}
