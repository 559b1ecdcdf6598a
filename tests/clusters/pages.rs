//! Asking for the sample app's page, from pods and from the host.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use kind_e2e::Answer;

use crate::world::World;

/// What every page of the sample app begins with; its pod's name follows.
pub(crate) const GREETING: &str = "Hello from pod ";

/// What a pod gets from an address or a name.
pub(crate) fn from_pod(world: &World, pod: &str, host: &str, port: u16) -> Answer {
    let ask = format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {host} {port}");
    world.kind.shell(pod, &ask)
}

/// A place where the sample app may be reached.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What it is called in the results.
    pub(crate) name: String,
    /// Its address.
    pub(crate) address: String,
    /// Its port.
    pub(crate) port: u16,
}

impl Target {
    /// An address that is its own name.
    pub(crate) fn at(address: IpAddr, port: u16) -> Self {
        Self {
            name: address.to_string(),
            address: address.to_string(),
            port,
        }
    }
}

/// The names of those targets that a pod reaches, all asked at once. The pod is given as kubectl's
/// arguments.
pub(crate) fn reached(world: &World, pod: &[&str], targets: &[Target]) -> BTreeSet<String> {
    let ask = |target: &Target| {
        let Target {
            name,
            address,
            port,
        } = target;
        format!(
            "(page=$(printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 {address} {port}); \
             case \"$page\" in *'{GREETING}'*) echo {name};; esac) &\n"
        )
    };
    let script: String = targets.iter().map(ask).collect();
    let script = format!("{script}wait");
    let run = ["--", "/bin/sh", "-c", &script];
    let answer = world.kind.ask(&[&["exec"], pod, &run].concat());
    answer
        .expect("the pod asks")
        .lines()
        .map(str::to_owned)
        .collect()
}

/// A connection from the host.
pub(crate) fn connect(address: IpAddr, port: u16) -> std::io::Result<TcpStream> {
    let address = SocketAddr::new(address, port);
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    Ok(stream)
}

/// The page that the host gets.
pub(crate) fn from_host(address: IpAddr, port: u16) -> std::io::Result<String> {
    let mut stream = connect(address, port)?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    if text.contains(GREETING) {
        Ok(text)
    } else {
        Err(std::io::Error::other(text))
    }
}
