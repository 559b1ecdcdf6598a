//! Addresses that a link has beside its own: those of services, one by one.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{
    AddressAttribute, AddressHeaderFlags, AddressMessage, CacheInfo,
};
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourMessage, NeighbourState};

use super::connection::{Netlink, address_family, address_of, failed};
use crate::Error;

/// What the kernel says of an address that is not there.
const NO_ADDRESS: i32 = rustix::io::Errno::ADDRNOTAVAIL.raw_os_error();

/// An address of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkAddress {
    /// Index of the link.
    pub link: u32,
    /// The address with its prefix.
    pub address: IpNet,
}

impl Netlink {
    /// The addresses of all links, each with its link.
    pub fn link_addresses(&mut self) -> Result<Vec<LinkAddress>, Error> {
        let dump = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let answers = self
            .send_request(dump, NLM_F_DUMP)
            .map_err(failed("list addresses"))?;
        let found = answers.into_iter().filter_map(|answer| {
            let RouteNetlinkMessage::NewAddress(message) = &answer else {
                return None;
            };
            let link = message.header.index;
            address_of(answer).map(|address| LinkAddress { link, address })
        });
        Ok(found.collect())
    }

    /// The hardware address of a link, if it is one of six bytes.
    pub fn hardware_address(&mut self, link: u32) -> Result<Option<[u8; 6]>, Error> {
        let attributes = self.link_attributes(link)?.into_iter();
        let mut addresses = attributes.filter_map(|attribute| match attribute {
            LinkAttribute::Address(bytes) => bytes.try_into().ok(),
            _ => None,
        });
        Ok(addresses.next())
    }

    /// The name of a link.
    pub fn link_name(&mut self, link: u32) -> Result<String, Error> {
        let attributes = self.link_attributes(link)?.into_iter();
        let mut names = attributes.filter_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name),
            _ => None,
        });
        names
            .next()
            .ok_or_else(|| failed("read the name of a link")(std::io::ErrorKind::NotFound.into()))
    }

    fn link_attributes(&mut self, link: u32) -> Result<Vec<LinkAttribute>, Error> {
        let mut message = LinkMessage::default();
        message.header.index = link;
        let answers = self
            .send_request(RouteNetlinkMessage::GetLink(message), 0)
            .map_err(failed("look at a link"))?;
        let attributes = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => Some(link.attributes),
            _ => None,
        });
        Ok(attributes.flatten().collect())
    }

    /// Gives a link one more address, which nothing that the machine itself sends ever comes from.
    /// One that it has already is no error.
    pub fn add_service_address(&mut self, link: u32, address: IpAddr) -> Result<(), Error> {
        let mut message = service_address(link, address);
        if address.is_ipv6() {
            message.header.flags = AddressHeaderFlags::Nodad;
            // Valid for ever, preferred never.
            let mut lifetime = CacheInfo::default();
            lifetime.ifa_valid = u32::MAX;
            message
                .attributes
                .push(AddressAttribute::CacheInfo(lifetime));
        }
        let create = RouteNetlinkMessage::NewAddress(message);
        match self.send_request(create, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(failed(format!("give a link the address {address}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// Takes such an address away; one that is not there is no error.
    pub fn remove_service_address(&mut self, link: u32, address: IpAddr) -> Result<(), Error> {
        let delete = RouteNetlinkMessage::DelAddress(service_address(link, address));
        match self.send_request(delete, NLM_F_ACK) {
            Err(error) if error.raw_os_error() != Some(NO_ADDRESS) => Err(failed(format!(
                "take the address {address} from a link"
            ))(error)),
            _ => Ok(()),
        }
    }

    /// Tells whether a neighbour is known to have that address.
    pub fn has_neighbour(&mut self, address: IpAddr) -> Result<bool, Error> {
        let mut message = NeighbourMessage::default();
        message.header.family = address_family(address);
        let answers = self
            .send_request(RouteNetlinkMessage::GetNeighbour(message), NLM_F_DUMP)
            .map_err(failed("list neighbours"))?;
        Ok(answers.into_iter().any(|answer| match answer {
            RouteNetlinkMessage::NewNeighbour(neighbour) => {
                let known = matches!(
                    neighbour.header.state,
                    NeighbourState::Reachable
                        | NeighbourState::Stale
                        | NeighbourState::Delay
                        | NeighbourState::Probe
                        | NeighbourState::Permanent
                );
                known && neighbour_address(&neighbour) == Some(address)
            }
            _ => false,
        }))
    }
}

fn service_address(link: u32, address: IpAddr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = link;
    message.header.prefix_len = IpNet::from(address).prefix_len();
    message.header.family = address_family(address);
    message.attributes = vec![
        AddressAttribute::Local(address),
        AddressAttribute::Address(address),
    ];
    message
}

fn neighbour_address(neighbour: &NeighbourMessage) -> Option<IpAddr> {
    use netlink_packet_route::neighbour::NeighbourAddress;
    neighbour
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)) => Some((*v4).into()),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)) => Some((*v6).into()),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use kind_testkit::machine::require_root;

    use super::*;

    #[test]
    fn addresses_come_and_go() {
        require_root();
        // The thread, and with it the namespace, ends with the test.
        let test = std::thread::spawn(|| {
            kind_sys::namespace::unshare_network().unwrap();
            let mut netlink = Netlink::open().unwrap();
            let link = netlink.bridge("eth0").unwrap();
            netlink
                .add_address(link, "172.18.0.2/16".parse().unwrap())
                .unwrap();
            netlink.up(link).unwrap();
            assert!(netlink.hardware_address(link).unwrap().is_some());
            for address in ["172.18.255.7", "fc00:f853::ff07"] {
                let address: IpAddr = address.parse().unwrap();
                let there = |netlink: &mut Netlink| {
                    let wanted = LinkAddress {
                        link,
                        address: IpNet::from(address),
                    };
                    netlink.link_addresses().unwrap().contains(&wanted)
                };
                for _ in 0..2 {
                    netlink.add_service_address(link, address).unwrap();
                    assert!(there(&mut netlink));
                }
                for _ in 0..2 {
                    netlink.remove_service_address(link, address).unwrap();
                    assert!(!there(&mut netlink));
                }
                assert!(!netlink.has_neighbour(address).unwrap());
            }
        });
        test.join().unwrap();
    }
}
