//! Builds that cannot succeed: each failure says what, why and what to do. The real `mmdebstrap` runs, so
//! these need root and that program; without them the tests pass.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::error::Error as _;
use std::process::Command;

use kind_image::Store;
use kind_image::build::{AddOns, Error, Request, Source, build};
use tempfile::TempDir;

fn request(place: &TempDir, source: Source) -> Request {
    let add_ons = AddOns {
        manifests: [].into(),
        kind_node: "/bin/true".into(),
    };
    let name = "kind.local/node:test".parse().unwrap();
    Request::new(source, name, add_ons, place.path().join("cache"))
}

fn fail(place: &TempDir, request: &Request) -> Error {
    let store = Store::open(&place.path().join("store")).unwrap();
    build(&store, request, &|_| {}).unwrap_err()
}

#[test]
fn sources_that_do_not_work_yet_say_what_does() {
    let place = TempDir::new().unwrap();
    for (source, code) in [
        ("v1.33.4", "BLD-SOURCE-UNSUPPORTED"),
        ("ci/latest", "BLD-SOURCE-UNSUPPORTED"),
        (
            "https://example.com/server.tar.gz",
            "BLD-SOURCE-UNSUPPORTED",
        ),
        ("no-such-tree", "BLD-SOURCE-UNKNOWN"),
    ] {
        let error = fail(&place, &request(&place, Source::parse(source)));
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(source), "{error}");
        assert!(error.remedy().unwrap().contains("debian"));
    }
    let missing = Source::File(place.path().join("missing.tar.gz"));
    assert_eq!(fail(&place, &request(&place, missing)).code(), "BLD-IO");
}

#[test]
fn a_mirror_that_does_not_answer_is_explained() {
    let ready = Command::new("mmdebstrap").arg("--version").output().is_ok();
    if !ready || !rustix::process::geteuid().is_root() {
        return;
    }
    let place = TempDir::new().unwrap();
    let mut request = request(&place, Source::Debian);
    // Nothing listens on the port of the discard service.
    request.mirror = Some("http://127.0.0.1:9/debian".to_owned());
    let error = fail(&place, &request);
    if error.code() == "BLD-NO-SPACE" {
        return;
    }
    assert_eq!(error.code(), "BLD-COMMAND", "{error}");
    assert!(error.remedy().unwrap().contains("mirror"));
    assert!(error.source().unwrap().to_string().contains("127.0.0.1"));
    let log = std::fs::read_to_string(error.log().unwrap()).unwrap();
    assert!(log.starts_with("+ mmdebstrap"), "{log}");
}
