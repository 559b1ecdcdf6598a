//! What requests do when the world is not kind to them.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use super::testing::{Server, write_response};
use super::{
    Client, DownloadError, Error, Failure, Method, Proxies, Request, Response, TimeoutPhase,
    Timeouts, Url, download_file,
};
use crate::Code;

fn client() -> Client {
    Client::default().timeouts(Timeouts::for_each_phase(Duration::from_millis(500)))
}

fn get(client: &Client, url: &str) -> Result<Response, Error> {
    client.send_request(Request::new(Method::Get, Url::parse(url).unwrap()))
}

fn fetch(client: &Client, url: &str) -> Result<Vec<u8>, Error> {
    get(client, url)?.checked()?.bytes(1 << 20)
}

#[test]
fn answers_are_read_up_to_a_limit() {
    let server = Server::start(|_, stream| write_response(stream, "200 OK", "", b"hello"));
    assert_eq!(fetch(&client(), &server.url("/x")).unwrap(), b"hello");
    let response = get(&client(), &server.url("/x")).unwrap();
    let error = response.bytes(4).unwrap_err();
    assert!(matches!(error.failure, Failure::TooLarge(4)), "{error:?}");
}

#[test]
fn refusals_carry_what_the_server_said() {
    let body = br#"{"errors":[{"code":"DENIED","message":"not for \u001b[31myou"}]}"#;
    let server = Server::start(move |_, stream| write_response(stream, "403 Forbidden", "", body));
    let error = fetch(&client(), &server.url("/x?token=secret"))
        .err()
        .unwrap();
    assert_eq!(error.status(), Some(403));
    assert_eq!(error.to_string(), format!("GET {}", server.url("/x")));
    assert_eq!(
        error.failure.to_string(),
        "the server answered 403: not for [31myou"
    );
    let html = Server::start(|_, stream| write_response(stream, "502 Bad Gateway", "", b"<html>"));
    let error = fetch(&client(), &html.url("/")).err().unwrap();
    assert_eq!(error.failure.to_string(), "the server answered 502");
    assert!(error.is_transient());
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let other = Server::start(|_, stream| write_response(stream, "200 OK", "", b"there"));
    let place = format!("location: {}\r\n", other.url("/blob?signature=x"));
    let first = Server::start(move |head, stream| {
        if head.starts_with("GET /same") {
            write_response(stream, "302 Found", "location: /away\r\n", b"")
        } else {
            write_response(stream, "307 Temporary Redirect", &place, b"")
        }
    });
    let url = Url::parse(&first.url("/same")).unwrap();
    let request = Request::new(Method::Get, url).header("Authorization", "Bearer secret");
    let response = client().send_request(request).unwrap();
    assert_eq!(response.url.to_string(), other.url("/blob"));
    assert_eq!(response.bytes(100).unwrap(), b"there");
    assert!(
        first
            .heard()
            .iter()
            .all(|head| head.contains("Bearer secret"))
    );
    assert_eq!(first.heard().len(), 2);
    assert!(!other.heard()[0].contains("secret"), "{:?}", other.heard());
}

#[test]
fn redirects_in_a_circle_end() {
    let server =
        Server::start(|_, stream| write_response(stream, "302 Found", "location: /x\r\n", b""));
    let error = get(&client(), &server.url("/x")).err().unwrap();
    assert_eq!(error.code(), Code::DownloadRedirect);
    let away = "location: file:///etc/passwd\r\n";
    let server = Server::start(move |_, stream| write_response(stream, "302 Found", away, b""));
    let error = get(&client(), &server.url("/x")).err().unwrap();
    assert_eq!(error.code(), Code::DownloadRedirect);
}

#[test]
fn a_body_that_ends_early_is_an_error() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort");
    });
    let error = fetch(&client(), &server.url("/x")).unwrap_err();
    assert_eq!(error.code(), Code::DownloadBroken, "{error:?}");
    assert!(error.is_transient());
}

#[test]
fn a_server_that_goes_silent_is_given_up() {
    let server = Server::start(|head, stream| {
        if head.starts_with("GET /body") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome");
        }
        std::thread::sleep(Duration::from_secs(2));
    });
    let error = fetch(&client(), &server.url("/body")).unwrap_err();
    assert!(
        matches!(error.failure, Failure::Timeout(TimeoutPhase::Data)),
        "{error:?}"
    );
    let silent = Server::start(|_, _| std::thread::sleep(Duration::from_secs(2)));
    let error = fetch(&client(), &silent.url("/head")).unwrap_err();
    assert!(matches!(error.failure, Failure::Timeout(_)), "{error:?}");
}

#[test]
fn what_is_not_there_is_told_with_a_way_out() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let error = fetch(&client(), &format!("http://{nobody}/x")).unwrap_err();
    assert_eq!(error.code(), Code::DownloadConnect, "{error:?}");
    assert!(error.remedy().unwrap().contains("HTTPS_PROXY"));
    let error = fetch(&client(), "https://nowhere.invalid/x").unwrap_err();
    assert_eq!(error.code(), Code::DownloadLookup, "{error:?}");
}

#[test]
fn proxies_are_taken_and_named() {
    let target = Server::start(|_, stream| write_response(stream, "200 OK", "", b"through"));
    let address = target.address;
    let proxy = Server::start(move |head, stream| {
        assert!(
            head.starts_with("CONNECT somewhere.test:80 HTTP/1.1"),
            "{head}"
        );
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut onward = std::net::TcpStream::connect(address).unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), onward.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut onward, stream);
    });
    let through = |proxy: &str| {
        let variables = BTreeMap::from([("http_proxy".to_owned(), proxy.to_owned())]);
        Client::new(Proxies::from_environment(&variables))
    };
    let client = through(&format!("http://me:secret@{}", proxy.address));
    assert_eq!(
        fetch(&client, "http://somewhere.test/x").unwrap(),
        b"through"
    );
    assert!(proxy.heard()[0].contains("Proxy-Authorization: Basic "));
    assert!(!target.heard()[0].contains("Proxy-Authorization"));

    let refusing = Server::start(|_, stream| {
        write_response(stream, "407 Proxy Authentication Required", "", b"")
    });
    let client = through(&format!("http://me:secret@{}", refusing.address));
    let error = fetch(&client, "http://somewhere.test/x").unwrap_err();
    let expected = format!(
        "GET http://somewhere.test/x through proxy http://{}",
        refusing.address
    );
    assert_eq!(
        (error.to_string(), error.code()),
        (expected, Code::DownloadProxy)
    );
    assert!(error.remedy().unwrap().contains("NO_PROXY"));
}

#[test]
fn what_is_sent_arrives() {
    let server = Server::start(|_, stream| write_response(stream, "201 Created", "", b""));
    let url = Url::parse(&server.url("/x")).unwrap();
    let mut body = &b"content"[..];
    let request = Request::new(Method::Put, url).body(&mut body, 7);
    assert_eq!(client().send_request(request).unwrap().status, 201);
    assert!(
        server.heard()[0]
            .to_lowercase()
            .contains("content-length: 7")
    );
}

#[test]
fn a_download_goes_on_where_it_broke() {
    let content: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    let served = content.clone();
    let server = Server::start(move |head, stream| {
        let range = head
            .lines()
            .find_map(|line| line.strip_prefix("range: bytes="));
        let start = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
        let status = if range.is_some() {
            "206 Partial Content"
        } else {
            "200 OK"
        };
        let rest = &served[start..];
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\netag: \"one\"\r\ncontent-length: {}\r\n\r\n",
            rest.len()
        );
        let _ = stream.write_all(&rest[..rest.len().min(5_000_000)]);
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let url = Url::parse(&server.url("/file")).unwrap();
    download_file(&client(), &url, &path, 1 << 30, &|_, _| {}).unwrap();
    assert!(std::fs::read(&path).unwrap() == content);
    assert!(
        server.heard()[1].contains("if-range: \"one\""),
        "{:?}",
        server.heard()
    );
    let error = download_file(&client(), &url, &path, 100, &|_, _| {}).unwrap_err();
    let DownloadError::Network(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(error.code(), Code::DownloadTooLarge);
}
