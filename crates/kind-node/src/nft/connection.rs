//! The connection to the kernel's netfilter.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

use super::Batch;
use super::message::{Message, NLMSG_ERROR, parse_messages};

/// Room for what is being sent beside the batch itself.
const OVERHEAD: usize = 4096;

/// A connection to the kernel's netfilter.
pub(crate) struct Connection {
    socket: OwnedFd,
    port: u32,
}

impl Connection {
    /// Connects for changes.
    pub(crate) fn open_netlink() -> io::Result<Self> {
        let socket = open_socket(0)?;
        let address = SocketAddrNetlink::try_from(rustix::net::getsockname(&socket)?)?;
        let port = address.pid();
        Ok(Self { socket, port })
    }

    /// The number that changes of this connection carry.
    pub(crate) fn port(&self) -> u32 {
        self.port
    }

    /// Makes a change: all of it or nothing.
    pub(crate) fn apply_batch(&self, batch: Batch) -> io::Result<()> {
        let bytes = batch.finish();
        // A change is one datagram, however large.
        if bytes.len() + OVERHEAD > sockopt::socket_send_buffer_size(&self.socket)? {
            sockopt::set_socket_send_buffer_size_force(&self.socket, bytes.len() + OVERHEAD)?;
        }
        rustix::net::send(&self.socket, &bytes, SendFlags::empty())?;
        // The kernel has done its work when the call returns, and every answer is there to read.
        // There is one only to what it refused.
        let mut result = Ok(());
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match rustix::net::recv(&self.socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    for message in parse_messages(&buffer[..length]) {
                        result = result.and(check_answer(&message));
                    }
                }
                Err(rustix::io::Errno::AGAIN) => return result,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Opens a connection that hears of the changes of these multicast groups, given as bits.
pub(super) fn open_socket(groups: u32) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::NETFILTER),
    )?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// The result that an acknowledgement carries.
pub(super) fn check_answer(message: &Message<'_>) -> io::Result<()> {
    let code = message.body.get(..4).and_then(|code| code.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(code) if message.kind == NLMSG_ERROR && code != 0 => {
            Err(io::Error::from_raw_os_error(code.saturating_neg()))
        }
        _ => Ok(()),
    }
}
