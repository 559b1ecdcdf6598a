//! Pages over HTTP: that the program lives and that it is ready, at which the kubelet looks, and its metrics.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::shares::Shares;

/// Time a client has for its request, as long as the kubelet waits for a whole answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// Time a client has to take the answer.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections at a time; more wait in the kernel.
const CONNECTIONS: usize = 256;

/// Connections of one client at a time; more are closed. The kubelet, who must get through, has one.
const CONNECTIONS_OF_CLIENT: usize = 16;

/// Longest request that is read; probes send far less.
const LONGEST: usize = 8192;

/// A server of one page.
#[derive(Debug)]
pub(crate) struct Page {
    listener: TcpListener,
    path: &'static str,
}

impl Page {
    /// Binds a page's socket.
    pub(crate) async fn bind(address: SocketAddr, path: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, path })
    }

    /// Returns the socket's address.
    #[cfg(test)]
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves the page until the caller drops the future: 200 with a text if there is one, else 503.
    pub(crate) async fn serve_page(
        self,
        text: impl Fn() -> Option<String> + Send + Sync + 'static,
    ) {
        let Self { listener, path } = self;
        let text = Arc::new(text);
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        let shares = Shares::new(CONNECTIONS_OF_CLIENT);
        loop {
            let Ok(permit) = permits.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                // Beside the others: one that says nothing must not keep the kubelet waiting.
                Ok((stream, client)) => {
                    let Some(share) = shares.take(client.ip()) else {
                        continue;
                    };
                    let text = text.clone();
                    tokio::spawn(async move {
                        let _ = reply_to_probe(stream, path, &*text).await;
                        drop((permit, share));
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accept a probe");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// Reads one request and answers it.
async fn reply_to_probe(
    mut stream: TcpStream,
    path: &str,
    text: &impl Fn() -> Option<String>,
) -> io::Result<()> {
    let request = timeout(REQUEST_TIMEOUT, read_request(&mut stream)).await??;
    let response = build_response(&request, path, text().as_deref());
    timeout(RESPONSE_TIMEOUT, stream.write_all(response.as_bytes())).await??;
    stream.shutdown().await
}

/// Reads the head of a request.
async fn read_request(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    while !is_complete(&request) && request.len() < LONGEST {
        if stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(request)
}

/// Tells whether the head of a request is there.
fn is_complete(request: &[u8]) -> bool {
    request.windows(4).any(|window| window == b"\r\n\r\n")
}

/// Decides on the response to a request.
fn build_response(request: &[u8], path: &str, text: Option<&str>) -> String {
    let line = request
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    let asked = target.split('?').next().unwrap_or_default();
    let (status, body) = match (method, text) {
        (Some("GET" | "HEAD"), _) if asked != path => ("404 Not Found", ""),
        (Some("GET"), Some(text)) => ("200 OK", text),
        (Some("HEAD"), Some(_)) => ("200 OK", ""),
        (Some("GET" | "HEAD"), None) => ("503 Service Unavailable", ""),
        _ => ("405 Method Not Allowed", ""),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    async fn connect(from: &str, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(SocketAddr::new(from.parse().unwrap(), 0))
            .unwrap();
        socket.connect(to).await.unwrap()
    }

    #[tokio::test]
    async fn one_client_that_says_nothing_keeps_nobody_else_waiting() {
        let page = Page::bind("127.0.0.1:0".parse().unwrap(), "/ready")
            .await
            .unwrap();
        let address = page.address().unwrap();
        tokio::spawn(page.serve_page(|| Some("OK".to_owned())));
        let mut silent = Vec::new();
        for _ in 0..2 * CONNECTIONS {
            silent.push(connect("127.0.0.2", address).await);
        }
        let mut kubelet = connect("127.0.0.1", address).await;
        kubelet
            .write_all(b"GET /ready HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 12];
        // Sooner than the silent ones are given up.
        let read = timeout(REQUEST_TIMEOUT / 2, kubelet.read_exact(&mut answer)).await;
        read.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }

    #[test]
    fn responses() {
        for (request, well, expected) in [
            ("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n", true, "200"),
            ("GET /ready?x=1 HTTP/1.1\r\n\r\n", true, "200"),
            ("HEAD /ready HTTP/1.1\r\n\r\n", true, "200"),
            ("GET /ready HTTP/1.1\r\n\r\n", false, "503"),
            ("GET / HTTP/1.1\r\n\r\n", true, "404"),
            ("POST /ready HTTP/1.1\r\n\r\n", true, "405"),
            ("\r\n\r\n", true, "405"),
        ] {
            let response = build_response(request.as_bytes(), "/ready", well.then_some("OK"));
            assert_eq!(response.split(' ').nth(1), Some(expected), "{request:?}");
            assert!(is_complete(response.as_bytes()));
        }
    }
}
