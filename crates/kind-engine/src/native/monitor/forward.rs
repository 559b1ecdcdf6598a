//! Published ports: the monitor listens on the host and forwards to its node.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::native::ports::{self, Listener};
use crate::native::record::NodeRecord;
use crate::{Error, Port, Protocol};

/// How long a UDP client is remembered after its last answer.
const UDP_CLIENT_TIMEOUT: Duration = Duration::from_secs(90);
/// Connections, or UDP clients, of one port at a time. Each has threads here, and clients of UDP can be made up.
const MAX_CLIENTS: usize = 2048;
/// How long a connection to the node may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The ports of a node, open on the host.
pub(super) struct Forwards {
    open: Vec<(Listener, Vec<SocketAddr>)>,
}

impl Forwards {
    /// Opens the ports of a node.
    pub(super) fn open_ports(node: &NodeRecord, ports: &[Port]) -> Result<Self, Error> {
        let open = ports
            .iter()
            .map(|port| {
                Ok((
                    ports::listen_on_port(port)?,
                    ports::target_addresses(node, port),
                ))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { open })
    }

    /// Forwards from now on, in threads that end with the process. `names` is the gateway and a name
    /// server on the host's loopback that the nodes reach through it.
    pub(super) fn start_forwarding(self, names: Option<(IpAddr, IpAddr)>) {
        for (listener, targets) in self.open {
            forward_port(listener, targets);
        }
        if let Some((gateway, server)) = names {
            for protocol in [Protocol::Udp, Protocol::Tcp] {
                let port = Port::new(gateway, 53, 53, protocol);
                thread::spawn(move || relay_names(&port, SocketAddr::new(server, 53)));
            }
        }
    }
}

/// The first monitor of a network that gets the port relays for all; the others stand by.
fn relay_names(port: &Port, server: SocketAddr) {
    loop {
        if let Ok(listener) = ports::listen_on_port(port) {
            return forward_port(listener, vec![server]);
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// Forwards to the first of these addresses that takes a connection. UDP has none: there it is the first of all.
fn forward_port(listener: Listener, targets: Vec<SocketAddr>) {
    thread::spawn(move || match listener {
        Listener::Tcp(listener) => forward_tcp(&listener, &targets.into()),
        Listener::Udp(socket) => forward_udp(socket, targets[0]),
    });
}

/// Each connection has a copy of the addresses: so many are open.
fn forward_tcp(listener: &TcpListener, targets: &Arc<[SocketAddr]>) {
    for client in listener.incoming() {
        match client {
            // The client sees at once that it gets nothing now.
            Ok(client) if Arc::strong_count(targets) > MAX_CLIENTS => drop(client),
            Ok(client) => {
                let targets = Arc::clone(targets);
                drop(thread::Builder::new().spawn(move || {
                    let _ = forward_connection(client, &targets);
                }));
            }
            // Out of descriptors or memory: what is open may end meanwhile.
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn connect_to_node(targets: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
    for target in targets {
        result = TcpStream::connect_timeout(target, CONNECT_TIMEOUT);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Carries one connection until both sides have ended.
fn forward_connection(client: TcpStream, targets: &[SocketAddr]) -> io::Result<()> {
    let node = connect_to_node(targets)?;
    for stream in [&client, &node] {
        stream.set_nodelay(true)?;
    }
    let (client_again, node_again) = (client.try_clone()?, node.try_clone()?);
    let up = thread::Builder::new().spawn(move || carry_bytes(client_again, node_again))?;
    carry_bytes(node, client);
    let _ = up.join();
    Ok(())
}

/// Copies one direction; its end is passed on, the other direction may go on.
fn carry_bytes(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) if to.write_all(&buffer[..length]).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => {
                // One side broke: both must see it.
                let _ = from.shutdown(Shutdown::Both);
                break;
            }
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

type Clients = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

/// UDP has no connections: each client has a socket towards the node for as long as answers come.
fn forward_udp(socket: UdpSocket, target: SocketAddr) {
    let socket = Arc::new(socket);
    let clients = Clients::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer) else {
            // An error here is an earlier answer that could not be delivered.
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        if let Ok(upstream) = upstream_of(&clients, &socket, client, target) {
            let _ = upstream.send(&buffer[..length]);
        }
    }
}

fn upstream_of(
    clients: &Clients,
    socket: &Arc<UdpSocket>,
    client: SocketAddr,
    target: SocketAddr,
) -> io::Result<Arc<UdpSocket>> {
    let mut known = clients
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(upstream) = known.get(&client) {
        return Ok(Arc::clone(upstream));
    }
    if known.len() >= MAX_CLIENTS {
        return Err(io::ErrorKind::QuotaExceeded.into());
    }
    let any: IpAddr = match target {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let upstream = Arc::new(UdpSocket::bind((any, 0))?);
    upstream.connect(target)?;
    upstream.set_read_timeout(Some(UDP_CLIENT_TIMEOUT))?;
    known.insert(client, Arc::clone(&upstream));
    let (clients, socket, answers) = (
        Arc::clone(clients),
        Arc::clone(socket),
        Arc::clone(&upstream),
    );
    thread::Builder::new().spawn(move || {
        forward_answers(&answers, &socket, client);
        let mut known = clients
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        known.remove(&client);
    })?;
    Ok(upstream)
}

/// Passes answers back until there have been none for a while.
fn forward_answers(upstream: &UdpSocket, socket: &UdpSocket, client: SocketAddr) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match upstream.recv(&mut buffer) {
            Ok(length) => drop(socket.send_to(&buffer[..length], client)),
            // The node refused: nothing listens there yet, the client may try again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALHOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn tcp_passes_both_ways_and_half_closes() {
        let node = TcpListener::bind((LOCALHOST, 0)).unwrap();
        // Nobody listens at the first address, as in a cluster of the other family.
        let closed = TcpListener::bind((LOCALHOST, 0)).unwrap();
        let targets = vec![closed.local_addr().unwrap(), node.local_addr().unwrap()];
        drop(closed);
        let listener = TcpListener::bind((LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        forward_port(Listener::Tcp(listener), targets);
        let server = thread::spawn(move || {
            let (mut stream, _) = node.accept().unwrap();
            let mut text = Vec::new();
            stream.read_to_end(&mut text).unwrap();
            stream.write_all(&text).unwrap();
        });
        let mut client = TcpStream::connect(address).unwrap();
        let sent = vec![7; 1 << 20];
        client.write_all(&sent).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        assert!(received == sent);
        server.join().unwrap();
    }

    #[test]
    fn udp_answers_reach_their_clients() {
        let node = UdpSocket::bind((LOCALHOST, 0)).unwrap();
        let target = node.local_addr().unwrap();
        let socket = UdpSocket::bind((LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        forward_port(Listener::Udp(socket), vec![target]);
        thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok((length, from)) = node.recv_from(&mut buffer) {
                node.send_to(&buffer[..length], from).unwrap();
            }
        });
        let clients: Vec<_> = (0..3)
            .map(|_| UdpSocket::bind((LOCALHOST, 0)).unwrap())
            .collect();
        for (number, client) in clients.iter().enumerate() {
            client
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            client.send_to(&[number as u8], address).unwrap();
        }
        for (number, client) in clients.iter().enumerate() {
            let mut buffer = [0; 64];
            assert_eq!(client.recv(&mut buffer).unwrap(), 1);
            assert_eq!(usize::from(buffer[0]), number);
        }
    }
}
