//! Frames that no protocol of the kernel would send.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Sends a whole Ethernet frame, header included, out of the link with that index. Needs
/// `CAP_NET_RAW`.
///
/// # Errors
/// The kernel's; a frame without a whole header is [`io::ErrorKind::InvalidInput`].
pub fn send_frame(link: u32, frame: &[u8]) -> io::Result<()> {
    let Some(header) = frame.get(..14) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // Protocol 0 receives nothing.
    // SAFETY: the call takes no pointers.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: all zeros is a valid value of this plain structure.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
    address.sll_protocol = u16::from_ne_bytes([header[12], header[13]]);
    address.sll_ifindex = i32::try_from(link).map_err(|_| io::ErrorKind::InvalidInput)?;
    address.sll_halen = 6;
    address.sll_addr[..6].copy_from_slice(&header[..6]);
    let length = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
    // SAFETY: both pointers are to values that live through the call, with their true lengths.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            0,
            (&raw const address).cast(),
            length,
        )
    };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::thread;

    use kind_testkit::machine::{require_programs, require_root};
    use rustix::net::{AddressFamily, RecvFlags, SocketType, eth, recv, socket};

    use super::*;

    /// The link to oneself, in every namespace.
    const LOOPBACK: u32 = 1;
    /// To nobody, from nobody, of the type that is set aside for experiments.
    const FRAME: &[u8] = b"\0\0\0\0\0\0\0\0\0\0\0\0\x88\xb5hello";

    #[test]
    fn a_frame_arrives_as_it_was_sent() {
        require_root();
        require_programs(&["ip"]);
        let work = || {
            crate::namespace::unshare_network().unwrap();
            assert!(send_frame(LOOPBACK, FRAME).is_err(), "the link is down");
            let up = Command::new("ip")
                .args(["link", "set", "lo", "up"])
                .status();
            assert!(up.unwrap().success());
            let listener = socket(AddressFamily::PACKET, SocketType::RAW, Some(eth::ALL)).unwrap();
            send_frame(LOOPBACK, FRAME).unwrap();
            let mut received = [0; 64];
            let (length, _) = recv(&listener, &mut received, RecvFlags::empty()).unwrap();
            assert_eq!(received[..length], *FRAME);
        };
        thread::spawn(work).join().unwrap();
    }

    #[test]
    fn what_has_no_whole_header_is_no_frame() {
        let error = send_frame(LOOPBACK, &FRAME[..13]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
