//! Hands what arrives for a Service on to the nodes that share it, as it is.
//!
//! The announcing node looks at packets for the Service's ports as its link receives them, before anything
//! else knows of them. Those of one connection fall into one of a few buckets, and a bucket belongs to a
//! node ([`Backends`](super::backends::Backends)): what is another node's goes out again to that node, with
//! both addresses unchanged. There kube-proxy leads it to a pod of the node, and answers go straight to the
//! client, whose address everyone has seen. This node takes part in nothing of that, and keeps no state of
//! it: a node that announces the address after this one finds the same buckets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Error;
use super::backends::Backends;
use super::cluster::Service;
use super::error::kernel_error;
use super::link::Link;
use crate::nft::{Batch, Connection, Family, Field, Hook, Key, Match, Rule, Set, Table, Verdict};

/// All tables that see what links receive are in one room, whatever the family.
const NAMES: [(Family, &str); 2] = [
    (Family::V4, "kind-services-ipv4"),
    (Family::V6, "kind-services-ipv6"),
];
const PROBE: &str = "kind-services-probe";
const ADDRESSES: &str = "addresses";

/// The tables that this module makes, without what is in them.
pub(super) fn empty_share_tables() -> [Table; 2] {
    NAMES.map(|(family, name)| Table::at_ingress(family, name))
}

/// The tables by which this node hands on what arrives for the Services that it announces; none where
/// everything is its own.
pub(super) fn share_tables<'a>(
    announced: impl Iterator<Item = &'a Service> + Clone,
    link: &Link,
) -> Vec<Table> {
    let filled = empty_share_tables().map(|table| {
        let mut sharing = Sharing {
            link,
            table,
            chains: BTreeMap::new(),
        };
        announced
            .clone()
            .for_each(|service| sharing.add_service(service));
        sharing
    });
    let needed = filled
        .into_iter()
        .filter(|sharing| !sharing.chains.is_empty());
    needed.map(Sharing::finish).collect()
}

/// Fails where the kernel cannot do what this module needs. Nothing stays of the attempt.
pub(super) fn probe_share(link: &Link) -> Result<(), Error> {
    let sharing = Sharing {
        link,
        table: Table::at_ingress(Family::V4, PROBE),
        chains: BTreeMap::new(),
    };
    let table = sharing.sample_table();
    let mut batch = Batch::new();
    batch.replace_table(&table);
    batch.remove_table(&table);
    let connection = Connection::open_netlink().map_err(kernel_error("reach netfilter"))?;
    connection
        .apply_batch(batch)
        .map_err(kernel_error("hand packets on to other nodes"))
}

/// A table that is being made.
struct Sharing<'a> {
    link: &'a Link,
    table: Table,
    /// The chain of each address that is shared.
    chains: BTreeMap<IpAddr, String>,
}

impl Sharing<'_> {
    fn add_service(&mut self, service: &Service) {
        let Some(backends) = &service.shared_by else {
            return;
        };
        let buckets = self.add_bucket_chains(backends);
        if buckets.is_empty() {
            return;
        }
        for address in &service.addresses {
            if Family::of_address(*address) == self.table.family
                && self.link.ranges.contain(address)
            {
                self.share_address(*address, service, &buckets);
            }
        }
    }

    /// The chain for each bucket that is another node's.
    fn add_bucket_chains(&mut self, backends: &Backends) -> BTreeMap<u32, String> {
        let mut buckets = BTreeMap::new();
        for (bucket, node) in (0..).zip(backends.buckets(self.table.family)) {
            if !self.link.is_own(node) && self.link.is_neighbour(node) {
                buckets.insert(bucket, self.add_node_chain(node));
            }
        }
        buckets
    }

    /// The chain that leads to a node.
    fn add_node_chain(&mut self, node: IpAddr) -> String {
        let chain = format!("node-{node}");
        let forward = Rule::new([], Verdict::Forward(node, self.link.index));
        self.table.add_chain(chain.clone(), vec![forward]);
        chain
    }

    fn share_address(
        &mut self,
        address: IpAddr,
        service: &Service,
        buckets: &BTreeMap<u32, String>,
    ) {
        let map = format!("buckets-{address}");
        self.table
            .add_set(map.clone(), Set::Buckets(buckets.clone()));
        let spread = |key| vec![Rule::new([], Verdict::Spread(key, map.clone()))];
        let [by_source, by_flow] = ["source", "flow"].map(|key| format!("{key}-{address}"));
        self.table.add_chain(by_source.clone(), spread(Key::Source));
        let mut rules = Vec::new();
        if self.table.family == Family::V4 {
            // Most pieces have no port, and all must go the same way.
            let whole = Verdict::Goto(by_source.clone());
            rules.push(Rule::new([Match::Fragment], whole));
        }
        let chain = if service.sticky { &by_source } else { &by_flow };
        rules.extend(service.ports.iter().map(|(protocol, port)| {
            let matches = [Match::Protocol(*protocol), Match::Ports(*port, *port)];
            Rule::new(matches, Verdict::Goto(chain.clone()))
        }));
        if !service.sticky {
            self.table.add_chain(by_flow, spread(Key::SourceAndPort));
        }
        let chain = format!("service-{address}");
        self.table.add_chain(chain.clone(), rules);
        self.chains.insert(address, chain);
    }

    /// The finished table.
    fn finish(mut self) -> Table {
        self.table.add_set(ADDRESSES, Set::Chains(self.chains));
        let map = Verdict::Map(Field::Destination, ADDRESSES.to_owned());
        let rules = vec![Rule::new([Match::OfFamily], map)];
        let hook = Hook::Ingress(self.link.name.clone());
        self.table.add_hook("ingress", hook, rules);
        self.table
    }

    /// A table with one of everything.
    fn sample_table(mut self) -> Table {
        const SAMPLE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        let buckets = BTreeMap::from([(0, self.add_node_chain(SAMPLE))]);
        let service = Service {
            ports: BTreeSet::from([(6, 80)]),
            ..Service::default()
        };
        self.share_address(SAMPLE, &service, &buckets);
        self.finish()
    }
}
