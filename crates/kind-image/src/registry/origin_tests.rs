//! Registries that lead elsewhere, and what arrives there.

use std::collections::BTreeMap;
use std::path::Path;

use super::Access;
use super::hosts::Purpose;
use super::session::{RequestTemplate, Sessions};
use crate::http::Method;
use crate::http::testing::{Server, write_response};
use crate::oci::Platform;

/// `me:of-the-registry`
const LOGIN: &str = "bWU6b2YtdGhlLXJlZ2lzdHJ5";

/// A user who is known to one registry.
fn user(home: &Path, registry: &Server) -> Access {
    let docker = home.join(".docker");
    std::fs::create_dir_all(&docker).unwrap();
    let login = format!(
        r#"{{"auths":{{"{}":{{"auth":"{LOGIN}"}}}}}}"#,
        registry.address
    );
    std::fs::write(docker.join("config.json"), login).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let variables = [
        ("HOME", text(home)),
        ("KIND_CERTS_DIR", text(&home.join("certs.d"))),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Access::from_environment(&BTreeMap::from(variables))
}

/// A server that asks everybody to say who they are to its own token service.
fn inquisitive() -> Server {
    Server::start(|head, stream| {
        let host = head.lines().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("host: ")
                .map(str::to_owned)
        });
        let host = host.unwrap_or_default();
        if head.starts_with("GET /token") {
            return write_response(stream, "200 OK", "", br#"{"token":"abc"}"#);
        }
        let challenge = format!(
            "www-authenticate: Bearer realm=\"http://{host}/token\",service=\"x\"\r\n\
             www-authenticate: Basic realm=\"x\"\r\n"
        );
        write_response(stream, "401 Unauthorized", &challenge, b"");
    })
}

/// A registry that sends whoever asks for something on to another one.
fn leading_to(other: &Server) -> Server {
    let away = format!("location: {}\r\n", other.url("/elsewhere"));
    Server::start(move |head, stream| {
        if head.starts_with("GET /v2/ ") {
            write_response(stream, "200 OK", "", b"");
        } else {
            write_response(stream, "307 Temporary Redirect", &away, b"");
        }
    })
}

#[test]
fn who_a_redirect_leads_to_is_told_no_password() {
    let home = tempfile::tempdir().unwrap();
    let other = inquisitive();
    let registry = leading_to(&other);
    let access = user(home.path(), &registry);
    let name = format!("{}/app:v1", registry.address).parse().unwrap();
    let error = super::resolve(&name, &Platform::of_host(), &access).unwrap_err();
    assert_eq!(error.code(), crate::Code::RegistryDenied, "{error}");
    let heard = other.heard();
    assert_eq!(heard.len(), 1, "no token is asked for: {heard:?}");
    assert!(!heard.concat().contains(LOGIN), "{heard:?}");
}

#[test]
fn the_registry_itself_is_told_the_password() {
    let home = tempfile::tempdir().unwrap();
    let registry = inquisitive();
    let access = user(home.path(), &registry);
    let name = format!("{}/app:v1", registry.address).parse().unwrap();
    super::resolve(&name, &Platform::of_host(), &access).unwrap_err();
    assert!(registry.heard().concat().contains(LOGIN));
}

#[test]
fn headers_of_a_host_stay_with_it() {
    let home = tempfile::tempdir().unwrap();
    let other = Server::start(|_, stream| write_response(stream, "404 Not Found", "", b""));
    let registry = leading_to(&other);
    let directory = home
        .path()
        .join("certs.d")
        .join(registry.address.to_string());
    std::fs::create_dir_all(&directory).unwrap();
    let hosts = format!(
        "server = \"{}\"\n[header]\nx-secret = \"of-the-host\"\ncookie = \"of-the-host\"\n",
        registry.url("")
    );
    std::fs::write(directory.join("hosts.toml"), hosts).unwrap();
    let access = user(home.path(), &registry);
    let name = format!("{}/app:v1", registry.address).parse().unwrap();
    super::resolve(&name, &Platform::of_host(), &access).unwrap_err();
    assert!(registry.heard().concat().contains("of-the-host"));
    let heard = other.heard().concat();
    assert!(
        heard.contains("accept: ") && !heard.contains("of-the-host"),
        "{heard}"
    );
}

/// What a registry says about where to send an upload is followed as a redirect is.
#[test]
fn an_upload_elsewhere_takes_nothing_along() {
    let home = tempfile::tempdir().unwrap();
    let other = inquisitive();
    let place = format!("location: {}\r\n", other.url("/upload"));
    let registry = Server::start(move |head, stream| {
        if head.starts_with("POST") && !head.contains(LOGIN) {
            let challenge = "www-authenticate: Basic realm=\"x\"\r\n";
            return write_response(stream, "401 Unauthorized", challenge, b"");
        }
        write_response(stream, "202 Accepted", &place, b"");
    });
    let access = user(home.path(), &registry);
    let name = format!("{}/app:v1", registry.address).parse().unwrap();
    let session = Sessions::open_sessions(&access, &name, Purpose::Push)
        .unwrap()
        .last();
    let post = RequestTemplate::new(Method::Post);
    let begun = session.send_request("blobs/uploads/", &post).unwrap();
    assert!(registry.heard().concat().contains(LOGIN));
    let url = super::push::upload_place(&begun).unwrap();
    let sent = session.send_to(&url, &RequestTemplate::new(Method::Put));
    assert!(sent.is_err());
    let heard = other.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(!heard[0].contains(LOGIN), "{heard:?}");
}
