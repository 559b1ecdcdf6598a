//! The sockets that clients ask.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::plugin::log::Exchange;
use super::resolver::Resolver;
use super::shares::Shares;
use super::upstream::{read_packet, write_packet};
use super::wire::{self, Incoming, Transport};

/// Connections at a time; more wait in the kernel.
const CONNECTIONS: usize = 256;

/// Connections of one client at a time; more are closed.
const CONNECTIONS_OF_CLIENT: usize = 32;

/// Datagrams of one client that wait for other servers; more are not answered. Of the thousand that the usual Corefile
/// lets wait, others have most.
const WAITING_OF_CLIENT: usize = 200;

/// Time a client may take between two questions on a connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause after an error of a socket that may last, such as too many open files.
const SOCKET_ERROR_PAUSE: Duration = Duration::from_millis(100);

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
    #[cfg(test)]
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Answers until the caller drops the future, as the server of that port of a Corefile.
    pub(crate) async fn serve_queries(self, resolver: Resolver, port: u16) {
        let waiting = Shares::new(WAITING_OF_CLIENT);
        let service = Arc::new(Service {
            resolver,
            port,
            waiting,
        });
        let udp = serve_udp(Arc::new(self.udp), service.clone());
        let tcp = serve_tcp(self.tcp, service);
        tokio::join!(udp, tcp);
    }
}

/// What answers on a port.
#[derive(Debug)]
struct Service {
    resolver: Resolver,
    port: u16,
    /// Datagrams that wait for others.
    waiting: Arc<Shares>,
}

impl Service {
    /// Answers one question; nothing for a packet that deserves no answer.
    async fn answer(
        &self,
        packet: &[u8],
        client: SocketAddr,
        transport: Transport,
    ) -> Option<Vec<u8>> {
        let request = match wire::read_packet(packet) {
            Incoming::Ignore => return None,
            Incoming::Reply(reply) => return Some(reply),
            Incoming::Ask(request) => request,
        };
        let begun = Instant::now();
        let question = &request.question;
        // A client of IPv4 has an address of IPv6 on a socket for both.
        let address = client.ip().to_canonical();
        let resolved = self
            .resolver
            .resolve_question(self.port, address, question)
            .await;
        let answer = resolved.answer.summary();
        let reply = wire::write_answer(&request, resolved.answer, transport);
        if let Some((chain, place)) = &resolved.chain {
            let exchange = Exchange {
                question,
                answer,
                client,
                protocol: transport.name(),
                id: request.id,
                recursion_desired: request.recursion_desired,
                payload: request.payload,
                size: packet.len(),
                answer_size: reply.len(),
                duration: begun.elapsed(),
            };
            chain.log(&exchange);
            if let Some(counters) = chain.counters(*place) {
                counters.count(&exchange, resolved.plugin);
            }
        }
        Some(reply)
    }
}

/// Answers datagrams.
async fn serve_udp(socket: Arc<UdpSocket>, service: Arc<Service>) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, client)) => {
                let packet = buffer.get(..length).unwrap_or_default();
                answer_datagram(&socket, &service, packet.to_vec(), client).await;
            }
            // Mostly news about an earlier answer that a client did not wait for.
            Err(error) => tracing::debug!(%error, "receive a datagram"),
        }
    }
}

/// Answers one datagram; what must wait for others goes to a task of its own.
async fn answer_datagram(
    socket: &Arc<UdpSocket>,
    service: &Arc<Service>,
    packet: Vec<u8>,
    client: SocketAddr,
) {
    let waiting = &service.waiting;
    let service = service.clone();
    let mut answering =
        Box::pin(async move { service.answer(&packet, client, Transport::Udp).await });
    let known = poll_fn(|context| Poll::Ready(answering.as_mut().poll(context))).await;
    match known {
        Poll::Ready(reply) => send_reply(socket, reply, client).await,
        Poll::Pending => {
            let Some(share) = waiting.take(client.ip()) else {
                return;
            };
            let socket = socket.clone();
            tokio::spawn(async move {
                send_reply(&socket, answering.await, client).await;
                drop(share);
            });
        }
    }
}

/// Sends a datagram; a client that is gone is no error of ours.
async fn send_reply(socket: &UdpSocket, reply: Option<Vec<u8>>, client: SocketAddr) {
    let Some(reply) = reply else { return };
    if let Err(error) = socket.send_to(&reply, client).await {
        tracing::debug!(%error, %client, "send an answer");
    }
}

/// Accepts connections.
async fn serve_tcp(listener: TcpListener, service: Arc<Service>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let shares = Shares::new(CONNECTIONS_OF_CLIENT);
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, client)) => {
                let Some(share) = shares.take(client.ip()) else {
                    continue;
                };
                let service = service.clone();
                tokio::spawn(async move {
                    // Ends with an error whenever a client just closes.
                    let _ = serve_connection(stream, client, &service).await;
                    drop((permit, share));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept a connection");
                tokio::time::sleep(SOCKET_ERROR_PAUSE).await;
            }
        }
    }
}

/// Answers the questions of one connection, one after the other.
async fn serve_connection(
    mut stream: TcpStream,
    client: SocketAddr,
    service: &Service,
) -> io::Result<()> {
    loop {
        let packet = timeout(IDLE_TIMEOUT, read_packet(&mut stream)).await??;
        if let Some(reply) = service.answer(&packet, client, Transport::Tcp).await {
            timeout(IDLE_TIMEOUT, write_packet(&mut stream, &reply)).await??;
        }
    }
}
