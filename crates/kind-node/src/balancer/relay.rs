//! One client's connection, from its beginning to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use super::member::Health;
use super::members::Members;

/// Leads a client to a member until one of them ends the connection or the member is gone.
pub(super) async fn relay_connection(mut client: TcpStream, members: Arc<Members>) {
    let Some((member, mut server)) = members.connect().await else {
        return;
    };
    let mut health = member.health();
    let gone = health.wait_for(|health| *health == Health::Gone);
    tokio::select! {
        // However it ends, both ends learn of it.
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = gone => {
            // The client is told at once and in no doubt; the member hears nothing any more.
            let _ = client.set_zero_linger();
            let _ = server.set_zero_linger();
        }
    }
}

/// How long to wait when the process has no room for another connection.
pub(super) const OUT_OF_RESOURCES_PAUSE: Duration = Duration::from_millis(100);
