//! One question to one other name server.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::message::{Answer, Question};
use super::wire::{self, Outcome};

/// Room for a datagram: servers that do not heed what we said we take do not send more than this.
const LARGEST: usize = 4096;

/// What a server is asked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// UDP, and again TCP if the answer does not fit.
    Udp,
    /// TCP only.
    Tcp,
}

/// Asks a server.
pub(crate) async fn ask_upstream(
    server: SocketAddr,
    question: &Question,
    over: Over,
    patience: Duration,
) -> io::Result<Answer> {
    if over == Over::Tcp {
        return timeout(patience, over_tcp(server, question)).await?;
    }
    match timeout(patience, over_udp(server, question)).await?? {
        Some(answer) => Ok(answer),
        None => timeout(patience, over_tcp(server, question)).await?,
    }
}

/// Asks over UDP; returns nothing for an answer that does not fit.
async fn over_udp(server: SocketAddr, question: &Question) -> io::Result<Option<Answer>> {
    // A socket of its own for each question: the random port is, beside the random id, what keeps
    // others from answering in the server's place.
    let any: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let id = random_id();
    socket.send(&wire::write_question(id, question)).await?;
    let mut buffer = vec![0; LARGEST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let packet = buffer.get(..length).unwrap_or_default();
        match wire::read_answer(packet, id, question) {
            Outcome::Answer(answer) => return Ok(Some(answer)),
            Outcome::Truncated => return Ok(None),
            Outcome::Unrelated => {}
        }
    }
}

/// Asks over TCP.
async fn over_tcp(server: SocketAddr, question: &Question) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    let id = random_id();
    write_packet(&mut stream, &wire::write_question(id, question)).await?;
    let packet = read_packet(&mut stream).await?;
    match wire::read_answer(&packet, id, question) {
        Outcome::Answer(answer) => Ok(answer),
        Outcome::Truncated | Outcome::Unrelated => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Writes a packet with its length before it.
pub(crate) async fn write_packet(stream: &mut TcpStream, packet: &[u8]) -> io::Result<()> {
    let length = u16::try_from(packet.len()).map_err(io::Error::other)?;
    // One write, so that the length does not travel alone.
    let whole = [&length.to_be_bytes(), packet].concat();
    stream.write_all(&whole).await
}

/// Reads a packet with its length before it.
pub(crate) async fn read_packet(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut packet = vec![0; usize::from(length)];
    stream.read_exact(&mut packet).await?;
    Ok(packet)
}

/// Returns a number nobody can guess.
pub(crate) fn random_id() -> u16 {
    Message::query().metadata.id
}
