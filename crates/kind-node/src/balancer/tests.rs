//! The load balancer before real servers on loopback.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kind_node::load_balancer::Settings;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::program::serve_members;

/// An API server: answers `/readyz`, then everything else with its own name.
struct Server {
    port: u16,
    task: JoinHandle<()>,
}

fn acceptor() -> TlsAcceptor {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(pair.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn server(name: &'static str, status: &'static str) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = acceptor();
    let task = tokio::spawn(async move {
        // Ends with the task, and everything that it serves with it.
        let mut served = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            served.spawn(async move {
                let mut first = [0; 1];
                stream.peek(&mut first).await.unwrap();
                if first[0] == 0x16 {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let answer = format!("HTTP/1.1 {status}\r\n\r\n");
                    let _ = stream.write_all(answer.as_bytes()).await;
                } else {
                    echo(stream, name).await;
                }
            });
        }
    });
    Server { port, task }
}

/// Answers every byte with the server's name.
async fn echo(mut stream: TcpStream, name: &str) {
    let mut byte = [0; 1];
    while stream.read_exact(&mut byte).await.is_ok() {
        if stream.write_all(name.as_bytes()).await.is_err() {
            return;
        }
    }
}

struct Balancer {
    port: u16,
    path: PathBuf,
    _directory: tempfile::TempDir,
    task: JoinHandle<()>,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn balancer(servers: &[&Server]) -> Balancer {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("load-balancer.json");
    write(&path, port, servers);
    let file = path.clone();
    let task = tokio::spawn(async move { serve_members(&file).await.unwrap() });
    Balancer {
        port,
        path,
        _directory: directory,
        task,
    }
}

fn write(path: &std::path::Path, port: u16, servers: &[&Server]) {
    let mut settings = Settings::new(port, []);
    settings.members = servers
        .iter()
        .map(|server| format!("127.0.0.1:{}", server.port))
        .collect();
    let draft = path.with_extension("new");
    std::fs::write(&draft, settings.text()).unwrap();
    std::fs::rename(draft, path).unwrap();
}

/// A connection and the server that it led to.
async fn connect(balancer: &Balancer) -> (TcpStream, String) {
    let begin = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", balancer.port)).await {
            Ok(stream) => break stream,
            Err(_) if begin.elapsed() < Duration::from_secs(5) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    let name = ask(&mut stream).await.unwrap();
    (stream, name)
}

async fn ask(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.write_all(b"?").await?;
    let mut name = [0; 1];
    stream.read_exact(&mut name).await?;
    Ok(String::from_utf8_lossy(&name).into_owned())
}

#[tokio::test]
async fn connections_go_to_every_server_that_is_ready() {
    let servers = [
        server("a", "200 OK").await,
        server("b", "200 OK").await,
        server("c", "500 Internal Server Error").await,
    ];
    let balancer = balancer(&[&servers[0], &servers[1], &servers[2]]);
    // Until the first checks are through, not all that are ready are known.
    connect(&balancer).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut names = Vec::new();
    for _ in 0..6 {
        names.push(connect(&balancer).await.1);
    }
    names.sort_unstable();
    assert_eq!(names.concat(), "aaabbb");
}

#[tokio::test]
async fn a_dead_server_is_drained_within_two_seconds() {
    let servers = [server("a", "200 OK").await, server("b", "200 OK").await];
    let balancer = balancer(&[&servers[0], &servers[1]]);
    connect(&balancer).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut one, first) = connect(&balancer).await;
    let (mut other, second) = connect(&balancer).await;
    assert_ne!(first, second);
    let dead = usize::from(first == "b");
    servers[dead].task.abort();
    let begin = Instant::now();
    let mut byte = [0; 1];
    let ended = one.read(&mut byte).await;
    assert!(!matches!(ended, Ok(1..)), "{ended:?}");
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert_eq!(ask(&mut other).await.unwrap(), second);
    for _ in 0..3 {
        assert_eq!(connect(&balancer).await.1, second);
    }
}

#[tokio::test]
async fn a_busy_server_is_better_than_none() {
    let unready = server("u", "500 Internal Server Error").await;
    // Takes every connection, and says nothing of its health.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let busy = Server {
        port: listener.local_addr().unwrap().port(),
        task: tokio::spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                served.spawn(echo(stream, "b"));
            }
        }),
    };
    let balancer = balancer(&[&unready, &busy]);
    let begin = Instant::now();
    assert_eq!(connect(&balancer).await.1, "b");
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_drained_too() {
    // A listener of which nothing is read: connections come about in the kernel alone.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Server {
        port: silent.local_addr().unwrap().port(),
        task: tokio::spawn(async move {
            let _held = silent;
            std::future::pending::<()>().await;
        }),
    };
    let alive = server("a", "200 OK").await;
    let balancer = balancer(&[&silent, &alive]);
    for _ in 0..3 {
        assert_eq!(connect(&balancer).await.1, "a");
    }
}

#[tokio::test]
async fn membership_follows_the_file() {
    let servers = [server("a", "200 OK").await, server("b", "200 OK").await];
    let balancer = balancer(&[&servers[0]]);
    let (mut first, name) = connect(&balancer).await;
    assert_eq!(name, "a");
    std::fs::write(&balancer.path, "not yet written").unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(ask(&mut first).await.unwrap(), "a");
    write(&balancer.path, balancer.port, &[&servers[1]]);
    let ended = first.read(&mut [0; 1]).await;
    assert!(!matches!(ended, Ok(1..)), "{ended:?}");
    assert_eq!(connect(&balancer).await.1, "b");
}

#[tokio::test]
async fn a_client_waits_for_a_cluster_that_starts() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let late = Server {
        port,
        task: tokio::spawn(async {}),
    };
    let balancer = balancer(&[&late]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let waiting = tokio::spawn(async move { connect(&balancer).await.1 });
    tokio::time::sleep(Duration::from_millis(700)).await;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let acceptor = acceptor();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                stream.peek(&mut [0; 1]).await.unwrap();
                let mut first = [0; 1];
                stream.peek(&mut first).await.unwrap();
                match first[0] {
                    0x16 => {
                        if let Ok(mut stream) = acceptor.accept(stream).await {
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                        }
                    }
                    _ => echo(stream, "l").await,
                }
            });
        }
    });
    assert_eq!(waiting.await.unwrap(), "l");
}
