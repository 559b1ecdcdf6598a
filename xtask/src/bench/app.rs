//! A sample app that answers through a published port.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cluster::{Nodes, Source, timed};
use super::contestant::Contestant;
use crate::Failure;
use crate::sample;

/// The port on the host, and the one of the Service in the manifest.
const PORTS: (u16, u16) = (18080, 30080);

const PATIENCE: Duration = Duration::from_secs(120);

/// How long it takes from nothing to an answer.
pub(super) fn measure(
    source: &Source<'_>,
    contestant: &Contestant,
    app: &Path,
) -> Result<Duration, Failure> {
    let nodes = Nodes {
        port: Some(PORTS),
        ..Nodes::with_workers(0)
    };
    let began = Instant::now();
    source.create(contestant, nodes, false)?;
    let archive = app.to_str().ok_or("the path of the app is no text")?;
    timed(
        contestant,
        &["load", "image-archive", archive, "--name", "bench"],
    )?;
    contestant.kind.apply(sample::MANIFEST);
    while !answers() {
        if began.elapsed() > PATIENCE {
            let pods = contestant.kind.ask(&["get", "pods", "-A", "-o", "wide"]);
            return Err(format!("the app does not answer:\n{}", pods.stdout).into());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(began.elapsed())
}

fn answers() -> bool {
    ask().is_ok_and(|answer| answer.contains("Hello from pod"))
}

fn ask() -> std::io::Result<String> {
    let limit = Some(Duration::from_secs(1));
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, PORTS.0))?;
    stream.set_read_timeout(limit)?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
