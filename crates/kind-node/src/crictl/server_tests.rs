//! The client against a server of this process.

use std::path::Path;

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::{SendResponse, handshake};
use http::{HeaderMap, HeaderValue, Response};
use prost::Message;
use tempfile::TempDir;
use tokio::net::UnixListener;

use super::Error;
use super::client::Client;
use super::messages::{Image, ListImagesRequest, ListImagesResponse, VersionRequest};

/// More than HTTP/2 sends without a word from the receiver.
const MANY: usize = 4000;

fn images() -> ListImagesResponse {
    let image = |number| Image {
        id: format!("sha256:{number:064}"),
        repo_tags: vec![format!("docker.io/library/image:{number}")],
        ..Image::default()
    };
    ListImagesResponse {
        images: (0..MANY).map(image).collect(),
    }
}

fn headers(pairs: [(&'static str, &'static str); 2]) -> HeaderMap {
    let pair = |(name, value): (&str, _)| (name.parse().unwrap(), HeaderValue::from_static(value));
    pairs.map(pair).into_iter().collect()
}

/// Answers as containerd 1.5 does, which has only the old version.
fn answer(path: &str, mut respond: SendResponse<Bytes>) {
    let refused = |message| headers([("grpc-status", "12"), ("grpc-message", message)]);
    let mut response = Response::new(());
    match path {
        "/runtime.v1alpha2.ImageService/ListImages" => {
            let mut sender = respond.send_response(response, false).unwrap();
            let message = images().encode_to_vec();
            let mut data = BytesMut::new();
            data.put_u8(0);
            data.put_u32(u32::try_from(message.len()).unwrap());
            data.extend_from_slice(&message);
            sender.send_data(data.freeze(), false).unwrap();
            let done = headers([("grpc-status", "0"), ("grpc-message", "")]);
            sender.send_trailers(done).unwrap();
        }
        "/runtime.v1alpha2.RuntimeService/Version" => {
            *response.headers_mut() = headers([("grpc-status", "14"), ("grpc-message", "not yet")]);
            respond.send_response(response, true).unwrap();
        }
        _ => {
            *response.headers_mut() = refused("unknown service runtime.v1.ImageService");
            respond.send_response(response, true).unwrap();
        }
    }
}

async fn serve(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = handshake(stream).await.unwrap();
        while let Some(Ok((request, respond))) = connection.accept().await {
            answer(request.uri().path(), respond);
        }
    });
}

#[tokio::test]
async fn an_old_server_is_asked_in_the_old_version() {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("containerd.sock");
    let refused = Client::connect(&socket).await.err().unwrap();
    assert!(matches!(refused, Error::Connect { .. }), "{refused}");
    serve(&socket).await;
    let client = Client::connect(&socket).await.unwrap();
    let list = client
        .send_request(&ListImagesRequest::default())
        .await
        .unwrap();
    assert_eq!(list, images());
    let error = client
        .send_request(&VersionRequest::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "not yet (code 14)");
}
