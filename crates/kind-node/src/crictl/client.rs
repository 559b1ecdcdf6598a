//! gRPC as far as one request with one answer needs it, over HTTP/2 on a Unix socket.

use std::path::Path;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request, header};
use prost::Message;
use tokio::net::UnixStream;

use super::Error;
use super::calls::Call;

/// Versions of the interface, the first being tried first.
const VERSIONS: [&str; 2] = ["v1", "v1alpha2"];
/// A message has a flag for compression and its length before it.
const PREFIX: usize = 5;

/// A connection to containerd.
pub(super) struct Client {
    requests: SendRequest<Bytes>,
}

impl Client {
    /// Connects to the socket at `path`.
    pub(super) async fn connect(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Connect {
            path: path.to_owned(),
            source,
        };
        let stream = UnixStream::connect(path).await.map_err(failed)?;
        let (requests, connection) = h2::client::handshake(stream).await?;
        // What breaks the connection is told by the request that waits for its answer.
        tokio::spawn(connection);
        Ok(Self { requests })
    }

    /// Sends a request in the newest version of the interface that the server has.
    pub(super) async fn send_request<C: Call>(&self, request: &C) -> Result<C::Answer, Error> {
        let mut result = Err(Error::Answer("no version of the interface".to_owned()));
        for version in VERSIONS {
            result = self.call_version(version, request).await;
            match &result {
                Err(error) if error.is_unimplemented() => {}
                _ => break,
            }
        }
        result
    }

    async fn call_version<C: Call>(&self, version: &str, call: &C) -> Result<C::Answer, Error> {
        let request = Request::post(format!("http://localhost/runtime.{version}.{}", C::METHOD))
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::TE, "trailers")
            .body(())
            .map_err(|error| Error::Answer(error.to_string()))?;
        let mut requests = self.requests.clone().ready().await?;
        let (response, mut sender) = requests.send_request(request, false)?;
        sender.send_data(frame_message(call), true)?;
        let (head, mut body) = response.await?.into_parts();
        let mut data = BytesMut::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            body.flow_control().release_capacity(chunk.len())?;
            data.extend_from_slice(&chunk);
        }
        let trailers = body.trailers().await?;
        // A server that refuses at once has no trailers, and says so in the head.
        check_status(trailers.as_ref().unwrap_or(&head.headers))?;
        unframe_message(data.freeze())
    }
}

fn frame_message(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut data = BytesMut::with_capacity(PREFIX + length);
    data.put_u8(0);
    data.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    data.extend_from_slice(&message.encode_to_vec());
    data.freeze()
}

fn unframe_message<M: Message + Default>(mut data: Bytes) -> Result<M, Error> {
    let broken = |what: &str| Error::Answer(what.to_owned());
    if data.len() < PREFIX {
        return Err(broken("it is cut off"));
    }
    if data.get_u8() != 0 {
        return Err(broken("it is compressed"));
    }
    if data.get_u32() as usize != data.len() {
        return Err(broken("it has another length than it says"));
    }
    M::decode(data).map_err(|error| Error::Answer(error.to_string()))
}

/// What the server says of a request at its end.
fn check_status(headers: &HeaderMap) -> Result<(), Error> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match text("grpc-status").map(str::parse) {
        Some(Ok(0)) => Ok(()),
        Some(Ok(code)) => Err(Error::Refused {
            code,
            message: decode_message(text("grpc-message").unwrap_or_default()),
        }),
        _ => Err(Error::Answer("it has no status".to_owned())),
    }
}

/// gRPC's messages have `%` and two digits for each byte that a header cannot hold.
fn decode_message(message: &str) -> String {
    let mut bytes = Vec::with_capacity(message.len());
    let mut rest = message.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let number = after.get(..2).filter(|_| *first == b'%');
        let number = number.and_then(|digits| std::str::from_utf8(digits).ok());
        match number.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crictl::messages::VersionResponse;

    #[test]
    fn frames_hold_what_they_say() {
        let message = VersionResponse {
            version: "0.1.0".to_owned(),
            ..VersionResponse::default()
        };
        let data = frame_message(&message);
        assert_eq!(&data[..7], [0, 0, 0, 0, 7, 10, 5]);
        assert_eq!(
            unframe_message::<VersionResponse>(data.clone()).unwrap(),
            message
        );
        for broken in [
            data.slice(..4),
            data.slice(..9),
            Bytes::from_static(b"\x01\0\0\0\0"),
        ] {
            assert!(unframe_message::<VersionResponse>(broken).is_err());
        }
    }

    #[test]
    fn verdicts_are_read() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (name.parse().unwrap(), http::HeaderValue::from_static(value))
            });
            pairs.collect::<HeaderMap>()
        };
        assert!(check_status(&headers(&[("grpc-status", "0")])).is_ok());
        let refused = headers(&[
            ("grpc-status", "12"),
            ("grpc-message", "unknown service %22runtime.v1%22 100%"),
        ]);
        let error = check_status(&refused).unwrap_err();
        assert!(error.is_unimplemented());
        assert_eq!(
            error.to_string(),
            "unknown service \"runtime.v1\" 100% (code 12)"
        );
        assert!(matches!(check_status(&headers(&[])), Err(Error::Answer(_))));
    }
}
