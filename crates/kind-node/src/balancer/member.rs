//! One API server behind the load balancer.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a connection within one network may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);

/// What is known of a member, worse things first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    /// It cannot be reached, or is no member any more.
    Gone,
    /// It says that it is not ready.
    Unready,
    /// It can be reached, and is too busy to say how it is.
    Busy,
    /// It said that it is ready.
    Ready,
}

/// An API server.
#[derive(Debug)]
pub(super) struct Member {
    address: String,
    health: watch::Sender<Health>,
}

impl Member {
    /// A member at `NAME:PORT` of which nothing is known yet.
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            health: watch::Sender::new(Health::Gone),
        }
    }

    /// `NAME:PORT`
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Its health, to be looked at or waited for.
    pub(super) fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Notes its health; a change is told.
    pub(super) fn set_health(&self, health: Health) {
        let changed = self.health.send_if_modified(|known| {
            let changed = *known != health;
            *known = health;
            changed
        });
        if changed {
            tracing::info!(member = self.address, ?health, "health");
        }
    }

    /// Connects to it.
    ///
    /// # Errors
    /// Its name is unknown, or nothing takes the connection in the time that a network needs.
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(&self.address)).await;
        let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
