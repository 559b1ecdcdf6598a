//! Programs between a client and a server that do what networks do.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Passes connections on, and breaks the first ones after some bytes.
pub struct Relay {
    address: SocketAddr,
    connections: Arc<Mutex<usize>>,
}

impl Relay {
    /// Passes on to `target`. The first `broken` connections end after `after` bytes from there.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start(target: SocketAddr, broken: usize, after: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut number = count.lock().unwrap();
                *number += 1;
                let limit = if *number <= broken { after } else { u64::MAX };
                drop(number);
                std::thread::spawn(move || pass(stream, target, limit));
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were.
    ///
    /// # Panics
    /// If the relay has panicked.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

fn pass(client: TcpStream, target: SocketAddr, limit: u64) {
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    std::thread::spawn(move || {
        let _ = io::copy(&mut { from }, &mut &to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut (&server).take(limit), &mut &client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

/// A proxy for `CONNECT` that leads every name to one server.
pub struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Leads to `target`.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
                notes.lock().unwrap().push(head.next().unwrap_or_default());
                while head.next().is_some_and(|line| !line.is_empty()) {}
                drop(head);
                if (&stream).write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok() {
                    std::thread::spawn(move || pass(stream, target, u64::MAX));
                }
            }
        });
        Self { address, asked }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first lines of all requests.
    ///
    /// # Panics
    /// If the proxy has panicked.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
