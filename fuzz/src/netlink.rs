//! What the kernel answers.

/// A datagram with addresses and routes is read or refused.
pub fn netlink_answers(data: &[u8]) {
    kind_net::fuzzing::read_netlink(data);
}
