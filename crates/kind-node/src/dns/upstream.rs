//! One question to one other name server.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, ResponseCode};
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

/// Asks a server. One that does not know EDNS refuses what it does not understand, and is asked again without.
pub(crate) async fn ask_upstream(
    server: SocketAddr,
    question: &Question,
    over: Over,
    patience: Duration,
) -> io::Result<Answer> {
    let asking = |edns| Asking {
        server,
        question,
        edns,
    };
    let edns = wire::edns_options(question.dnssec_ok);
    let answer = asking(Some(edns)).ask(over, patience).await?;
    if !matches!(answer.code, ResponseCode::FormErr | ResponseCode::NotImp) {
        return Ok(answer);
    }
    let again = asking(None).ask(over, patience).await;
    Ok(again.unwrap_or(answer))
}

/// One form of a question to one server.
struct Asking<'a> {
    server: SocketAddr,
    question: &'a Question,
    edns: Option<Edns>,
}

impl Asking<'_> {
    /// Asks. Where the whole of an answer cannot be had, what has come of it is more than nothing: clients see that it is
    /// cut.
    async fn ask(&self, over: Over, patience: Duration) -> io::Result<Answer> {
        if over == Over::Tcp {
            return timeout(patience, self.ask_over_tcp()).await?;
        }
        let answer = timeout(patience, self.ask_over_udp()).await??;
        if !answer.truncated {
            return Ok(answer);
        }
        match timeout(patience, self.ask_over_tcp()).await {
            Ok(Ok(whole)) => Ok(whole),
            Ok(Err(_)) | Err(_) => Ok(answer),
        }
    }

    async fn ask_over_udp(&self) -> io::Result<Answer> {
        // A socket of its own for each question: the random port is, beside the random id, what keeps
        // others from answering in the server's place.
        let any: SocketAddr = if self.server.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(self.server).await?;
        let id = random_id();
        socket.send(&self.packet(id)).await?;
        let mut buffer = vec![0; LARGEST];
        loop {
            let length = socket.recv(&mut buffer).await?;
            let packet = buffer.get(..length).unwrap_or_default();
            match wire::read_answer(packet, id, self.question) {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Unrelated => {}
            }
        }
    }

    async fn ask_over_tcp(&self) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(self.server).await?;
        let id = random_id();
        write_packet(&mut stream, &self.packet(id)).await?;
        let packet = read_packet(&mut stream).await?;
        match wire::read_answer(&packet, id, self.question) {
            Outcome::Answer(answer) if !answer.truncated => Ok(answer),
            Outcome::Answer(_) | Outcome::Unrelated => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn packet(&self, id: u16) -> Vec<u8> {
        wire::write_question(id, self.question, self.edns.clone())
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
