//! A connection to the kernel's network configuration, and what is asked of links, addresses and routes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use ipnet::IpNet;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::net::{RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::Error;

/// A connection to the kernel's network configuration.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

/// A route as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where to; a prefix of length 0 is the default route.
    pub to: IpNet,
    /// Through which router.
    pub via: Option<IpAddr>,
    /// Out of which link.
    pub link: Option<u32>,
    /// Whose it is, by a number of the kernel's (`rtm_protocol`).
    pub protocol: u8,
}

impl Route {
    /// Of those that set up links.
    pub const BOOT: u8 = 3;
    /// Of the pod network: a number that `/etc/iproute2/rt_protos` gives to nobody.
    pub const PODS: u8 = 75;
}

impl Netlink {
    /// Connects to the kernel, in the network namespace of the calling thread.
    pub fn open() -> Result<Self, Error> {
        rustix::net::socket_with(
            rustix::net::AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            // Protocol 0 is the one for links, addresses and routes.
            None,
        )
        .map(|socket| Self {
            socket,
            sequence: 0,
        })
        .map_err(|error| failed("open a netlink socket")(error.into()))
    }

    /// The index of a link, or `None` if there is none of that name.
    pub fn link(&mut self, name: &str) -> Result<Option<u32>, Error> {
        let found = self.find_link(name)?;
        Ok(found.map(|link| link.header.index))
    }

    /// Whether there is a link of that name that is switched on.
    pub fn is_up(&mut self, name: &str) -> Result<bool, Error> {
        let found = self.find_link(name)?;
        Ok(found.is_some_and(|link| link.header.flags.contains(LinkFlags::Up)))
    }

    fn find_link(&mut self, name: &str) -> Result<Option<LinkMessage>, Error> {
        let mut message = LinkMessage::default();
        message
            .attributes
            .push(LinkAttribute::IfName(name.to_owned()));
        match self.send_request(RouteNetlinkMessage::GetLink(message), 0) {
            Ok(answers) => Ok(answers.into_iter().find_map(|answer| match answer {
                RouteNetlinkMessage::NewLink(link) => Some(link),
                _ => None,
            })),
            Err(error) if error.raw_os_error() == Some(NO_DEVICE) => Ok(None),
            Err(error) => Err(failed(format!("look up link {name}"))(error)),
        }
    }

    /// Makes a bridge and returns its index; one of that name is taken as it is.
    pub fn bridge(&mut self, name: &str) -> Result<u32, Error> {
        if let Some(index) = self.link(name)? {
            return Ok(index);
        }
        let mut message = LinkMessage::default();
        message
            .attributes
            .push(LinkAttribute::IfName(name.to_owned()));
        message
            .attributes
            .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(
                InfoKind::Bridge,
            )]));
        let create = RouteNetlinkMessage::NewLink(message);
        match self.send_request(create, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(format!("make bridge {name}"))(error));
            }
            _ => {}
        }
        self.link(name)?
            .ok_or_else(|| failed(format!("find bridge {name}"))(io::ErrorKind::NotFound.into()))
    }

    /// Makes a pair of virtual links: `name` here, attached to the bridge with index `bridge`, and
    /// `peer` in another network namespace. Both take packets as large as the default route's link.
    pub fn veth(
        &mut self,
        name: &str,
        bridge: u32,
        peer: &str,
        namespace: BorrowedFd<'_>,
    ) -> Result<(), Error> {
        let mtu = self.outward_mtu()?.map(LinkAttribute::Mtu);
        let mut inside = LinkMessage::default();
        inside.attributes = vec![
            LinkAttribute::IfName(peer.to_owned()),
            LinkAttribute::NetNsFd(namespace.as_raw_fd()),
        ];
        inside.attributes.extend(mtu.clone());
        let mut outside = LinkMessage::default();
        outside.header.flags = LinkFlags::Up;
        outside.header.change_mask = LinkFlags::Up;
        outside.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            LinkAttribute::Controller(bridge),
        ];
        outside.attributes.extend(mtu);
        outside.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(inside))),
        ]));
        let create = RouteNetlinkMessage::NewLink(outside);
        self.send_request(create, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK)
            .map(drop)
            .map_err(failed(format!("make virtual link {name}")))
    }

    /// Switches a link on.
    pub fn up(&mut self, link: u32) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = link;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        self.send_request(RouteNetlinkMessage::SetLink(message), NLM_F_ACK)
            .map(drop)
            .map_err(failed("switch a link on"))
    }

    /// The largest packet that the link of the default route takes; `None` without such a route.
    ///
    /// Larger packets of nodes would rely on every router on the way to say so.
    pub fn outward_mtu(&mut self) -> Result<Option<u32>, Error> {
        let default = |route: &Route| route.to.prefix_len() == 0;
        let link = self
            .routes()?
            .iter()
            .find(|route| default(route))
            .and_then(|route| route.link);
        let Some(link) = link else {
            return Ok(None);
        };
        let mut message = LinkMessage::default();
        message.header.index = link;
        let answers = self
            .send_request(RouteNetlinkMessage::GetLink(message), 0)
            .map_err(failed("read the MTU of a link"))?;
        Ok(answers.into_iter().find_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => {
                link.attributes
                    .iter()
                    .find_map(|attribute| match attribute {
                        LinkAttribute::Mtu(mtu) => Some(*mtu),
                        _ => None,
                    })
            }
            _ => None,
        }))
    }

    /// Sets the largest packet that a link takes.
    pub fn set_mtu(&mut self, link: u32, mtu: u32) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = link;
        message.attributes.push(LinkAttribute::Mtu(mtu));
        self.send_request(RouteNetlinkMessage::SetLink(message), NLM_F_ACK)
            .map(drop)
            .map_err(failed("set the MTU of a link"))
    }

    /// Sets the hardware address of a link that is off.
    pub fn set_hardware_address(&mut self, link: u32, address: [u8; 6]) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = link;
        let address = LinkAttribute::Address(address.to_vec());
        message.attributes.push(address);
        self.send_request(RouteNetlinkMessage::SetLink(message), NLM_F_ACK)
            .map(drop)
            .map_err(failed("set the hardware address of a link"))
    }

    /// Removes a link; its peer goes with it. A name that does not exist is no error.
    pub fn delete_link(&mut self, name: &str) -> Result<(), Error> {
        let Some(index) = self.link(name)? else {
            return Ok(());
        };
        let mut message = LinkMessage::default();
        message.header.index = index;
        match self.send_request(RouteNetlinkMessage::DelLink(message), NLM_F_ACK) {
            Err(error) if error.raw_os_error() != Some(NO_DEVICE) => {
                Err(failed(format!("remove link {name}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// Gives a link an address; one that it has already is no error. IPv6 addresses are usable at once
    /// (no duplicate address detection: they are assigned by us).
    pub fn add_address(&mut self, link: u32, address: IpNet) -> Result<(), Error> {
        let mut message = AddressMessage::default();
        message.header.index = link;
        message.header.prefix_len = address.prefix_len();
        message.header.family = address_family(address.addr());
        message.attributes = vec![
            AddressAttribute::Local(address.addr()),
            AddressAttribute::Address(address.addr()),
        ];
        match address {
            IpNet::V4(v4) => message
                .attributes
                .push(AddressAttribute::Broadcast(v4.broadcast())),
            IpNet::V6(_) => message.header.flags = AddressHeaderFlags::Nodad,
        }
        let create = RouteNetlinkMessage::NewAddress(message);
        match self.send_request(create, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(failed(format!("give a link the address {address}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// The addresses of all links, with their prefixes.
    pub fn addresses(&mut self) -> Result<Vec<IpNet>, Error> {
        let dump = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let answers = self
            .send_request(dump, NLM_F_DUMP)
            .map_err(failed("list addresses"))?;
        Ok(answers.into_iter().filter_map(address_of).collect())
    }

    /// The unicast routes of the main table.
    pub fn routes(&mut self) -> Result<Vec<Route>, Error> {
        let dump = RouteNetlinkMessage::GetRoute(RouteMessage::default());
        let answers = self
            .send_request(dump, NLM_F_DUMP)
            .map_err(failed("list routes"))?;
        Ok(answers.into_iter().filter_map(route_of).collect())
    }

    /// Adds a route, or puts it in the place of the one to the same destination.
    pub fn route_replace(&mut self, route: &Route) -> Result<(), Error> {
        let create = RouteNetlinkMessage::NewRoute(route_message(route));
        self.send_request(create, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK)
            .map(drop)
            .map_err(failed(format!("set the route to {}", route.to)))
    }

    /// Removes a route; one that does not exist is no error.
    pub fn route_delete(&mut self, route: &Route) -> Result<(), Error> {
        let delete = RouteNetlinkMessage::DelRoute(route_message(route));
        match self.send_request(delete, NLM_F_ACK) {
            Err(error) if error.raw_os_error() != Some(NO_ROUTE) => {
                Err(failed(format!("remove the route to {}", route.to))(error))
            }
            _ => Ok(()),
        }
    }

    /// Sends one message and collects the answers up to the end of a dump, an acknowledgement, or the
    /// single answer to a plain request.
    pub(super) fn send_request(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.sequence += 1;
        let mut packet = NetlinkMessage::from(message);
        packet.header.flags = NLM_F_REQUEST | flags;
        packet.header.sequence_number = self.sequence;
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        rustix::net::send(&self.socket, &bytes, SendFlags::empty())?;

        let mut answers = Vec::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let (length, _) =
                rustix::net::recv(&self.socket, buffer.as_mut_slice(), RecvFlags::empty())?;
            let single = flags & (NLM_F_DUMP | NLM_F_ACK) == 0;
            if collect_answers(&buffer[..length], self.sequence, &mut answers)? || single {
                return Ok(answers);
            }
        }
    }
}

/// Takes the messages of one datagram; says whether the answer is complete.
fn collect_answers(
    mut rest: &[u8],
    sequence: u32,
    answers: &mut Vec<RouteNetlinkMessage>,
) -> io::Result<bool> {
    while !rest.is_empty() {
        let packet = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let length = usize::try_from(packet.header.length).unwrap_or(usize::MAX);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        if packet.header.sequence_number != sequence {
            continue;
        }
        match packet.payload {
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) => {
                return match error.code {
                    None => Ok(true),
                    Some(code) => Err(io::Error::from_raw_os_error(code.get().abs())),
                };
            }
            NetlinkPayload::InnerMessage(message) => answers.push(message),
            _ => {}
        }
    }
    Ok(false)
}

const NO_DEVICE: i32 = rustix::io::Errno::NODEV.raw_os_error();
const NO_ROUTE: i32 = rustix::io::Errno::SRCH.raw_os_error();

pub(super) fn failed(action: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    let action = action.into();
    move |source| Error::Netlink { action, source }
}

pub(super) fn address_family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// What is in the answers of a datagram, for fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_datagram(datagram: &[u8], sequence: u32) -> (Vec<IpNet>, Vec<Route>) {
    let mut answers = Vec::new();
    // What came before a failure is read all the same.
    let _ = collect_answers(datagram, sequence, &mut answers);
    let addresses = answers.iter().cloned().filter_map(address_of).collect();
    (
        addresses,
        answers.into_iter().filter_map(route_of).collect(),
    )
}

pub(super) fn address_of(answer: RouteNetlinkMessage) -> Option<IpNet> {
    let RouteNetlinkMessage::NewAddress(message) = answer else {
        return None;
    };
    let prefix = message.header.prefix_len;
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => IpNet::new(*address, prefix).ok(),
            _ => None,
        })
}

fn route_of(answer: RouteNetlinkMessage) -> Option<Route> {
    let RouteNetlinkMessage::NewRoute(message) = answer else {
        return None;
    };
    if message.header.table != RouteHeader::RT_TABLE_MAIN
        || message.header.kind != RouteType::Unicast
    {
        return None;
    }
    let (mut to, mut via, mut link) = (None, None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => to = address_in(address),
            RouteAttribute::Gateway(address) => via = address_in(address),
            RouteAttribute::Oif(index) => link = Some(*index),
            _ => {}
        }
    }
    // The default route has no destination attribute.
    let to = to.unwrap_or(match message.header.address_family {
        AddressFamily::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    });
    let to = IpNet::new(to, message.header.destination_prefix_length).ok()?;
    Some(Route {
        to,
        via,
        link,
        protocol: message.header.protocol.into(),
    })
}

fn address_in(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some((*v4).into()),
        RouteAddress::Inet6(v6) => Some((*v6).into()),
        _ => None,
    }
}

fn route_message(route: &Route) -> RouteMessage {
    let address = |address| match address {
        IpAddr::V4(v4) => RouteAddress::Inet(v4),
        IpAddr::V6(v6) => RouteAddress::Inet6(v6),
    };
    let mut message = RouteMessage::default();
    message.header.address_family = address_family(route.to.addr());
    message.header.destination_prefix_length = route.to.prefix_len();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::from(route.protocol);
    message.header.scope = match route.via {
        Some(_) => RouteScope::Universe,
        None => RouteScope::Link,
    };
    message.header.kind = RouteType::Unicast;
    if route.to.prefix_len() > 0 {
        message
            .attributes
            .push(RouteAttribute::Destination(address(route.to.network())));
    }
    if let Some(via) = route.via {
        message
            .attributes
            .push(RouteAttribute::Gateway(address(via)));
    }
    if let Some(link) = route.link {
        message.attributes.push(RouteAttribute::Oif(link));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    use kind_testkit::machine::require_root;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    /// Runs in a network namespace of its own: the thread that changes it ends with the test.
    fn in_namespace(test: fn()) {
        require_root();
        std::thread::spawn(move || {
            kind_sys::namespace::unshare_network().unwrap();
            test();
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_route_survives_the_wire() {
        for route in [
            Route {
                to: net("0.0.0.0/0"),
                via: Some("172.18.0.1".parse().unwrap()),
                link: None,
                protocol: Route::BOOT,
            },
            Route {
                to: net("10.244.1.0/24"),
                via: None,
                link: Some(3),
                protocol: Route::BOOT,
            },
            Route {
                to: net("fd00:1::/64"),
                via: Some("fc00::2".parse().unwrap()),
                link: Some(2),
                protocol: Route::BOOT,
            },
        ] {
            let message = RouteNetlinkMessage::NewRoute(route_message(&route));
            assert_eq!(route_of(message), Some(route));
        }
    }

    #[test]
    fn a_bridge_with_addresses_and_routes() {
        in_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            assert_eq!(netlink.link("br-test").unwrap(), None);
            let bridge = netlink.bridge("br-test").unwrap();
            assert_eq!(netlink.bridge("br-test").unwrap(), bridge);
            for _ in 0..2 {
                netlink.add_address(bridge, net("172.30.0.1/16")).unwrap();
                netlink.add_address(bridge, net("fc00:1::1/64")).unwrap();
            }
            netlink.up(bridge).unwrap();
            let addresses = netlink.addresses().unwrap();
            assert!(addresses.contains(&net("172.30.0.1/16")), "{addresses:?}");
            assert!(addresses.contains(&net("fc00:1::1/64")), "{addresses:?}");

            let own = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
            netlink
                .veth("veth-a", bridge, "veth-b", own.as_fd())
                .unwrap();
            assert!(netlink.link("veth-b").unwrap().is_some());

            assert_eq!(netlink.outward_mtu().unwrap(), None);
            netlink.set_mtu(bridge, 1400).unwrap();
            netlink
                .route_replace(&Route {
                    to: net("0.0.0.0/0"),
                    via: None,
                    link: Some(bridge),
                    protocol: Route::BOOT,
                })
                .unwrap();
            assert_eq!(netlink.outward_mtu().unwrap(), Some(1400));

            let route = Route {
                to: net("10.9.0.0/24"),
                via: Some("172.30.0.9".parse().unwrap()),
                link: Some(bridge),
                protocol: Route::BOOT,
            };
            netlink.route_replace(&route).unwrap();
            netlink.route_replace(&route).unwrap();
            assert!(netlink.routes().unwrap().contains(&route));
            netlink.route_delete(&route).unwrap();
            netlink.route_delete(&route).unwrap();
            assert!(!netlink.routes().unwrap().contains(&route));

            netlink.delete_link("br-test").unwrap();
            netlink.delete_link("br-test").unwrap();
        });
    }
}
