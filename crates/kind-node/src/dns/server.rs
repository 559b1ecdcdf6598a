//! The sockets that clients ask.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::resolver::{Progress, Resolver};
use super::upstream::{read_packet, write_packet};
use super::wire::{self, Incoming, Request, Transport};

/// Connections at a time; more wait in the kernel.
const CONNECTIONS: usize = 256;

/// Time a client may take between two questions on a connection.
const IDLE: Duration = Duration::from_secs(10);

/// Pause after an error of a socket that may last, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound pair of sockets.
#[derive(Debug)]
pub(crate) struct Server {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Server {
    /// Binds UDP and TCP to the same port; with port 0, to one that is free.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let udp = UdpSocket::bind(tcp.local_addr()?).await?;
        Ok(Self { udp, tcp })
    }

    /// Returns the address of both sockets.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Answers until the caller drops the future.
    pub(crate) async fn run(self, resolver: Arc<Resolver>) {
        let udp = serve_udp(Arc::new(self.udp), resolver.clone());
        let tcp = serve_tcp(self.tcp, resolver);
        tokio::join!(udp, tcp);
    }
}

/// Answers datagrams.
async fn serve_udp(socket: Arc<UdpSocket>, resolver: Arc<Resolver>) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, client)) => {
                let packet = buffer.get(..length).unwrap_or_default();
                answer_datagram(&socket, &resolver, packet, client).await;
            }
            // Mostly news about an earlier answer that a client did not wait for.
            Err(error) => tracing::debug!(%error, "receive a datagram"),
        }
    }
}

/// Answers one datagram; what must wait for others goes to a task of its own.
async fn answer_datagram(
    socket: &Arc<UdpSocket>,
    resolver: &Arc<Resolver>,
    packet: &[u8],
    client: SocketAddr,
) {
    let request = match wire::read(packet) {
        Incoming::Ignore => return,
        Incoming::Reply(reply) => return send(socket, &reply, client).await,
        Incoming::Ask(request) => request,
    };
    match resolver.start(&request.question) {
        Progress::Done(answer) => {
            let reply = wire::write(&request, answer.rotated(request.id), Transport::Udp);
            send(socket, &reply, client).await;
        }
        Progress::Pending(pending) => {
            let (socket, resolver) = (socket.clone(), resolver.clone());
            tokio::spawn(async move {
                let answer = resolver.finish(pending).await;
                let reply = wire::write(&request, answer, Transport::Udp);
                send(&socket, &reply, client).await;
            });
        }
    }
}

/// Sends a datagram; a client that is gone is no error of ours.
async fn send(socket: &UdpSocket, reply: &[u8], client: SocketAddr) {
    if let Err(error) = socket.send_to(reply, client).await {
        tracing::debug!(%error, %client, "send an answer");
    }
}

/// Accepts connections.
async fn serve_tcp(listener: TcpListener, resolver: Arc<Resolver>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let resolver = resolver.clone();
                tokio::spawn(async move {
                    // Ends with an error whenever a client just closes.
                    let _ = serve_connection(stream, &resolver).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Answers the questions of one connection, one after the other.
async fn serve_connection(mut stream: TcpStream, resolver: &Resolver) -> io::Result<()> {
    loop {
        let packet = timeout(IDLE, read_packet(&mut stream)).await??;
        let reply = match wire::read(&packet) {
            Incoming::Ignore => continue,
            Incoming::Reply(reply) => reply,
            Incoming::Ask(request) => answer_whole(resolver, &request).await,
        };
        timeout(IDLE, write_packet(&mut stream, &reply)).await??;
    }
}

/// Answers a question in full length.
async fn answer_whole(resolver: &Resolver, request: &Request) -> Vec<u8> {
    let answer = match resolver.start(&request.question) {
        Progress::Done(answer) => answer.rotated(request.id),
        Progress::Pending(pending) => resolver.finish(pending).await,
    };
    wire::write(request, answer, Transport::Tcp)
}
