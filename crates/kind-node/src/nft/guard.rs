//! Hearing of what others remove.

use std::io;

use rustix::net::RecvFlags;

use super::connection::open_socket;
use super::message::parse_messages;

/// The multicast group of all changes, as a bit (group 7).
const CHANGES: u32 = 1 << 6;

/// Begins to listen; what it gives waits until a connection other than the one of `own_port` takes
/// away from tables of that name. Nothing that happens between the two goes unheard.
pub(crate) fn wait_for_removal(
    table: &str,
    own_port: u32,
) -> io::Result<impl FnMut() -> io::Result<()>> {
    let changes = open_socket(CHANGES)?;
    let mut buffer = vec![0; 64 * 1024];
    Ok(move || {
        loop {
            match rustix::net::recv(&changes, buffer.as_mut_slice(), RecvFlags::empty()) {
                Ok((length, _)) => {
                    let mut messages = parse_messages(&buffer[..length]);
                    if messages.any(|message| message.takes_from(table, own_port)) {
                        return Ok(());
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                // More changes than could be heard; ours may have been among them.
                Err(rustix::io::Errno::NOBUFS) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    })
}
