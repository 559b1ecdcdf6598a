//! What the kernel answers, for fuzz targets.

use crate::netlink::read_datagram;

/// Addresses and routes are read or left out; a prefix is no longer than its address.
pub fn read_netlink(datagram: &[u8]) {
    let sequence = datagram.get(8..12).unwrap_or_default();
    let sequence = sequence.try_into().map_or(0, u32::from_ne_bytes);
    let (addresses, routes) = read_datagram(datagram, sequence);
    for net in addresses.iter().chain(routes.iter().map(|route| &route.to)) {
        assert!(net.prefix_len() <= net.max_prefix_len(), "{net}");
    }
}
