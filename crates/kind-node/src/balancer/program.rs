//! The load balancer as a program.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kind_node::load_balancer::{KUBECONFIG, PATH, Settings};
use rustls::ClientConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::certificates;
use super::members::Members;
use super::membership;
use super::probe::look_after;
use super::relay::{OUT_OF_RESOURCES_PAUSE, relay_connection};

/// How often the file is looked at.
const FILE_POLL_INTERVAL: Duration = Duration::from_millis(300);
const BACKLOG: u32 = 1024;
/// The signal by which engines end nodes of images whose first process is systemd.
const HALT: i32 = 34 + 3;

/// Why the load balancer ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The process cannot work at all.
    #[error("start")]
    Start(#[source] io::Error),
    /// TLS cannot be used.
    #[error("prepare health checks")]
    Tls(#[source] rustls::Error),
    /// The port cannot be had.
    #[error("listen on port {port}")]
    Listen {
        port: u16,
        /// Why not.
        source: io::Error,
    },
}

/// Leads connections until it is told to end.
pub(crate) fn run_load_balancer() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Error::Start)?;
    runtime.block_on(async {
        let end = await_end().map_err(Error::Start)?;
        tokio::select! {
            served = serve_members(Path::new(PATH)) => served,
            () = membership::keep_members(Path::new(PATH), Path::new(KUBECONFIG)) => Ok(()),
            () = end => Ok(()),
        }
    })
}

/// Serves what the file says; a change is followed.
pub(super) async fn serve_members(path: &Path) -> Result<(), Error> {
    let config = certificates::client_configuration().map_err(Error::Tls)?;
    let members = Arc::new(Members::default());
    let settings = await_settings(path, None).await;
    follow_settings(&members, &settings, &config);
    let port = settings.port;
    let listener = listen_on(port).map_err(|source| Error::Listen { port, source })?;
    tracing::info!(port, members = ?settings.members, "listening");
    let accepting = accept_connections(listener, Arc::clone(&members));
    let following = async {
        let mut known = settings;
        loop {
            known = await_settings(path, Some(&known)).await;
            tracing::info!(members = ?known.members, "members");
            follow_settings(&members, &known, &config);
        }
    };
    tokio::select! {
        () = accepting => Ok(()),
        () = following => Ok(()),
    }
}

fn follow_settings(members: &Members, settings: &Settings, config: &Arc<ClientConfig>) {
    members.set_members(&settings.members, |member| {
        tokio::spawn(look_after(member, Arc::clone(config)))
    });
}

/// Waits until the file says something else than what is known.
async fn await_settings(path: &Path, known: Option<&Settings>) -> Settings {
    loop {
        let text = tokio::fs::read(path).await.unwrap_or_default();
        match serde_json::from_slice::<Settings>(&text) {
            Ok(settings) if known != Some(&settings) => return settings,
            Ok(_) => {}
            // An empty or missing file is one that is still to come.
            Err(error) if !text.is_empty() => tracing::warn!(%error, "the settings are none"),
            Err(_) => {}
        }
        sleep(FILE_POLL_INTERVAL).await;
    }
}

/// Listens on every address of both families, or of the one that there is.
fn listen_on(port: u16) -> io::Result<TcpListener> {
    let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let socket = TcpSocket::new_v6().and_then(|socket| {
        rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
        bind_socket(socket, both)
    });
    socket.or_else(|_| {
        let only = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        bind_socket(TcpSocket::new_v4()?, only)
    })
}

fn bind_socket(socket: TcpSocket, address: SocketAddr) -> io::Result<TcpListener> {
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept_connections(listener: TcpListener, members: Arc<Members>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let _ = client.set_nodelay(true);
                tokio::spawn(relay_connection(client, Arc::clone(&members)));
            }
            Err(error) => {
                tracing::warn!(%error, "accept");
                sleep(OUT_OF_RESOURCES_PAUSE).await;
            }
        }
    }
}

/// A future that ends when the engine ends the container.
fn await_end() -> io::Result<impl Future<Output = ()>> {
    let mut halt = signal(SignalKind::from_raw(HALT))?;
    let other = crate::signals::end_signal()?;
    Ok(async move {
        tokio::select! {
            _ = halt.recv() => {}
            () = other => {}
        }
    })
}
