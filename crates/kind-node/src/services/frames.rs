//! The frames that tell everyone on a network where an address is now.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The announcement of an address, as a whole Ethernet frame.
pub(super) fn announcement_frame(hardware: [u8; 6], address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => gratuitous_arp(hardware, address),
        IpAddr::V6(address) => unsolicited_advertisement(hardware, address),
    }
}

/// A question for the own address, which nobody answers and everybody learns from (RFC 5227).
fn gratuitous_arp(hardware: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
    let mut frame = ethernet_frame([0xff; 6], hardware, 0x0806);
    // Ethernet, IPv4, lengths of both kinds of addresses, a question.
    frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(hardware);
    frame.extend(address.octets());
    frame.extend([0; 6]);
    frame.extend(address.octets());
    frame
}

/// A neighbour advertisement for everyone (RFC 4861, 4.4) that replaces what was known.
fn unsolicited_advertisement(hardware: [u8; 6], address: Ipv6Addr) -> Vec<u8> {
    const EVERYONE: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    const ICMP: u8 = 58;
    const OVERRIDE: u8 = 0x20;
    let mut message = vec![136, 0, 0, 0, OVERRIDE, 0, 0, 0];
    message.extend(address.octets());
    // The option that says the sender's hardware address.
    message.extend([2, 1]);
    message.extend(hardware);
    let sum = icmpv6_checksum(address, EVERYONE, ICMP, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());

    let mut frame = ethernet_frame([0x33, 0x33, 0, 0, 0, 1], hardware, 0x86dd);
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(
        u16::try_from(message.len())
            .unwrap_or_default()
            .to_be_bytes(),
    );
    // A message that crossed a router would have fewer hops left and be ignored.
    frame.extend([ICMP, 255]);
    frame.extend(address.octets());
    frame.extend(EVERYONE.octets());
    frame.extend(message);
    frame
}

fn ethernet_frame(to: [u8; 6], from: [u8; 6], kind: u16) -> Vec<u8> {
    [&to[..], &from[..], &kind.to_be_bytes()].concat()
}

/// The checksum over a message and what is put in front of it (RFC 8200, 8.1).
fn icmpv6_checksum(from: Ipv6Addr, to: Ipv6Addr, protocol: u8, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).unwrap_or_default();
    let mut bytes = [from.octets(), to.octets()].concat();
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0, 0, protocol]);
    bytes.extend(message);
    let words = bytes.chunks(2).map(|pair| {
        let second = pair.get(1).copied().unwrap_or_default();
        u32::from(u16::from_be_bytes([pair[0], second]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_over_an_advertisement_with_its_checksum_is_nothing() {
        let address: Ipv6Addr = "fc00:f853:ccd:e793::ff07".parse().unwrap();
        let frame = announcement_frame([2, 0, 0, 0, 0, 9], address.into());
        assert_eq!(frame.len(), 14 + 40 + 32);
        let everyone = "ff02::1".parse().unwrap();
        assert_eq!(icmpv6_checksum(address, everyone, 58, &frame[54..]), 0);
        assert_eq!(frame[54..56], [136, 0]);
    }

    #[test]
    fn an_address_is_asked_for_and_told_at_once() {
        let address: Ipv4Addr = "172.18.255.7".parse().unwrap();
        let frame = announcement_frame([2, 0, 0, 0, 0, 9], address.into());
        assert_eq!(frame.len(), 42);
        assert_eq!(frame[28..32], address.octets());
        assert_eq!(frame[38..42], address.octets());
    }
}
