//! The cluster's zone: which records a name has, from the index alone.
//!
//! The rules are those of "Kubernetes DNS-Based Service Discovery", schema 1.1. Beyond them, as
//! CoreDNS does and programs expect:
//! - endpoints of services with a cluster address have names too;
//! - SRV at a service's own name lists all of its ports;
//! - the address of an endpoint leads back to it, whatever kind of service it is behind;
//! - what a pod's name is, and more, is said in a Corefile.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, PTR, SOA, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::index::{Entry, Index, SERVICE_LABELS};
use super::model::{Endpoint, Kind, Pods, Port};
use super::plugin::kubernetes::{Kubernetes, PodMode};
use super::plugin::zones;
use crate::kubernetes::Protocol;

/// The longest that clients may keep a zone's SOA record.
const SOA_TTL: u32 = 300;

/// What is known of the cluster at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cluster<'a> {
    /// Its services.
    pub(crate) index: &'a Index,
    /// Its pods, if somebody asked for them.
    pub(crate) pods: Option<&'a Pods>,
}

/// Version of the specification that the records follow.
const SCHEMA_VERSION: &str = "1.1.0";

/// Seconds that clients may keep the schema's version, as in the specification's example.
const SCHEMA_TTL: u32 = 28800;

/// What is known about a name and a record type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// Records, and others that the client will probably ask for next.
    Found {
        /// Records of the type asked for.
        answers: Vec<Record>,
        /// Addresses of names in the answers.
        additionals: Vec<Record>,
    },
    /// The name stands for another one.
    Alias(Name),
    /// The name exists, without records of that type.
    Empty,
    /// The name does not exist.
    Missing,
    /// The name is not in our hands.
    Outside,
    /// It is not known yet whether the name exists.
    Unknown,
}

/// Returns what is known about a name.
pub(crate) fn look_up_name(
    kubernetes: &Kubernetes,
    cluster: Cluster<'_>,
    name: &Name,
    kind: RecordType,
) -> Lookup {
    match zone_of(kubernetes, cluster, name) {
        None => Lookup::Outside,
        Some(zone) if name == zone.domain => zone.apex(name, kind),
        Some(zone) if zones::is_reverse(zone.domain) => zone.reverse(name, kind),
        Some(zone) => zone.lookup(name, kind),
    }
}

/// Returns the SOA record of the zone that a name is in; it goes with every negative answer.
pub(crate) fn soa_record(
    kubernetes: &Kubernetes,
    cluster: Cluster<'_>,
    name: &Name,
) -> Option<Record> {
    zone_of(kubernetes, cluster, name).map(|zone| zone.soa())
}

fn zone_of<'a>(kubernetes: &'a Kubernetes, cluster: Cluster<'a>, name: &Name) -> Option<Zone<'a>> {
    let domain = kubernetes.zones.matching(name)?;
    Some(Zone {
        domain,
        kubernetes,
        cluster,
    })
}

/// One zone of a cluster.
struct Zone<'a> {
    domain: &'a Name,
    kubernetes: &'a Kubernetes,
    cluster: Cluster<'a>,
}

impl Zone<'_> {
    /// Returns the zone's SOA record.
    fn soa(&self) -> Record {
        let ttl = self.kubernetes.ttl;
        let soa = SOA::new(
            self.server(),
            self.name(&["hostmaster"]),
            self.cluster.index.serial,
            7200,
            1800,
            86400,
            ttl,
        );
        Record::from_rdata(self.domain.clone(), ttl.min(SOA_TTL), RData::SOA(soa))
    }

    /// Returns what is known about a name below the zone's own.
    fn lookup(&self, name: &Name, kind: RecordType) -> Lookup {
        let labels = self.labels_below(name);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        match labels.as_slice() {
            ["dns-version"] => version_record(name, kind),
            ["ns", "dns"] => self.some(name, &self.server_addresses(), kind),
            ["svc" | "pod"] => Lookup::Empty,
            [namespace, "svc" | "pod"] => existing(self.namespace_exists(namespace)),
            [address, namespace, "pod"] => self.pod(namespace, address, name, kind),
            [below @ .., service, namespace, "svc"] => {
                let entry = self.cluster.index.service(namespace, service);
                match entry.filter(|_| self.exposes(namespace)) {
                    None => Lookup::Missing,
                    Some(entry) => self
                        .host(entry, &[service, namespace])
                        .lookup(below, name, kind),
                }
            }
            _ => Lookup::Missing,
        }
    }

    /// A service by the labels of its name.
    fn host<'a>(&'a self, entry: &'a Entry, labels: &[&str]) -> Host<'a> {
        Host {
            entry,
            name: self.name(&[labels, &["svc"]].concat()),
            kubernetes: self.kubernetes,
        }
    }

    /// Tells whether a namespace's objects have names.
    fn exposes(&self, namespace: &str) -> bool {
        let exposed = &self.kubernetes.namespaces;
        exposed.is_empty() || exposed.contains(namespace)
    }

    /// Tells whether there is a namespace whose objects have names.
    fn namespace_exists(&self, namespace: &str) -> bool {
        self.exposes(namespace) && self.cluster.index.namespace(namespace).is_some()
    }

    /// Returns the labels before the zone's own in lower case.
    fn labels_below(&self, name: &Name) -> Vec<String> {
        let below = name.iter().count() - self.domain.iter().count();
        let lower = |label: &[u8]| String::from_utf8_lossy(label).to_ascii_lowercase();
        name.iter().take(below).map(lower).collect()
    }

    /// Answers for the zone's own name.
    fn apex(&self, name: &Name, kind: RecordType) -> Lookup {
        match kind {
            RecordType::SOA | RecordType::ANY => found(vec![self.soa()]),
            RecordType::NS => {
                // The service that this server is behind, as CoreDNS finds itself.
                let service = ["kube-dns", "kube-system", "svc"];
                let known = !self.server_addresses().is_empty();
                let server = if known {
                    self.name(&service)
                } else {
                    self.server()
                };
                Lookup::Found {
                    additionals: self.addresses(&server, &self.server_addresses(), RecordType::ANY),
                    answers: vec![self.record(name, RData::NS(NS(server)))],
                }
            }
            _ => Lookup::Empty,
        }
    }

    /// Answers for the name of an address, if the address belongs to something.
    fn reverse(&self, name: &Name, kind: RecordType) -> Lookup {
        let address = address_of_arpa(name);
        let address = address.filter(|_| matches!(kind, RecordType::PTR | RecordType::ANY));
        let (Some(address), Some(domain)) = (address, self.kubernetes.domain()) else {
            return Lookup::Missing;
        };
        let by_pod = self.kubernetes.endpoint_pod_names;
        let owners = self
            .cluster
            .index
            .owners(address, by_pod, |namespace| self.exposes(namespace));
        let pointer = |mut labels: Vec<&str>| {
            labels.push("svc");
            self.record(name, RData::PTR(PTR(below(domain, &labels))))
        };
        let named =
            |labels: &Vec<&str>| !self.kubernetes.no_endpoints || labels.len() == SERVICE_LABELS;
        let pointers: Vec<Record> = owners.into_iter().filter(named).map(pointer).collect();
        if pointers.is_empty() {
            return Lookup::Missing;
        }
        found(pointers)
    }

    /// Answers for a pod's name, which is its address with dashes.
    fn pod(&self, namespace: &str, label: &str, name: &Name, kind: RecordType) -> Lookup {
        let four = label.replace('-', ".").parse().map(IpAddr::V4);
        let address = four.or_else(|_| label.replace('-', ":").parse().map(IpAddr::V6));
        let Some(address) = address.ok().filter(|_| self.namespace_exists(namespace)) else {
            return Lookup::Missing;
        };
        let exists = match (self.kubernetes.pods, self.cluster.pods) {
            (PodMode::Disabled, _) => false,
            (PodMode::Insecure, _) => true,
            (PodMode::Verified, None) => return Lookup::Unknown,
            (PodMode::Verified, Some(pods)) => pods
                .get(&address)
                .is_some_and(|namespaces| namespaces.contains(namespace)),
        };
        if exists {
            self.some(name, &BTreeSet::from([address]), kind)
        } else {
            Lookup::Missing
        }
    }

    /// What the zone calls the server that is its source.
    fn server(&self) -> Name {
        self.name(&["ns", "dns"])
    }

    /// The addresses of the service that this server is behind.
    fn server_addresses(&self) -> BTreeSet<IpAddr> {
        let entry = self.cluster.index.service("kube-system", "kube-dns");
        let host = entry.map(|entry| self.host(entry, &["kube-dns", "kube-system"]));
        host.map(|host| host.addresses()).unwrap_or_default()
    }

    /// The address records of a name, or none of this type.
    fn some(&self, name: &Name, all: &BTreeSet<IpAddr>, kind: RecordType) -> Lookup {
        some(self.addresses(name, all, kind))
    }

    fn addresses(&self, name: &Name, all: &BTreeSet<IpAddr>, kind: RecordType) -> Vec<Record> {
        address_records(name, all, kind, self.kubernetes.ttl)
    }

    fn record(&self, name: &Name, data: RData) -> Record {
        Record::from_rdata(name.clone(), self.kubernetes.ttl, data)
    }

    /// Puts labels in front of the zone's name. Labels come from names of API objects, which are
    /// short; one that is too long is left out.
    fn name(&self, labels: &[&str]) -> Name {
        below(self.domain, labels)
    }
}

/// A service with its name.
struct Host<'a> {
    entry: &'a Entry,
    name: Name,
    kubernetes: &'a Kubernetes,
}

impl Host<'_> {
    /// Answers for the service's name, or a name below it.
    fn lookup(&self, below: &[&str], asked: &Name, kind: RecordType) -> Lookup {
        if let Kind::External(target) = &self.entry.service.kind {
            return match below {
                [] => Lookup::Alias(target.clone()),
                _ => Lookup::Missing,
            };
        }
        let empty = self.entry.endpoints.is_empty();
        let counts = matches!(self.entry.service.kind, Kind::ClusterIp { .. });
        if counts && empty && self.kubernetes.ignore_empty {
            return Lookup::Missing;
        }
        match below {
            [] => self.own_name(asked, kind),
            [label] => match Protocol::of_label(label) {
                Some(protocol) => existing(self.has(|port| port.protocol == protocol)),
                None => self.endpoint(label, asked, kind),
            },
            [port, protocol] => match (port.strip_prefix('_'), Protocol::of_label(protocol)) {
                (Some(port), Some(protocol)) if !port.is_empty() => {
                    let wanted = |one: &Port| &*one.name == port && one.protocol == protocol;
                    self.port(&wanted, asked, kind)
                }
                _ => Lookup::Missing,
            },
            _ => Lookup::Missing,
        }
    }

    /// Answers for the service's own name.
    fn own_name(&self, asked: &Name, kind: RecordType) -> Lookup {
        let all = self.addresses();
        if all.is_empty() {
            // A headless service without ready endpoints; the specification wants just this.
            return Lookup::Missing;
        }
        match kind {
            RecordType::SRV => self.port(&|_| true, asked, kind),
            _ => some(address_records(asked, &all, kind, self.kubernetes.ttl)),
        }
    }

    /// Answers for one endpoint's name.
    fn endpoint(&self, hostname: &str, asked: &Name, kind: RecordType) -> Lookup {
        let all: BTreeSet<IpAddr> = self
            .endpoints()
            .filter(|endpoint| **self.label(endpoint) == *hostname)
            .map(|endpoint| endpoint.address)
            .collect();
        if all.is_empty() {
            return Lookup::Missing;
        }
        some(address_records(asked, &all, kind, self.kubernetes.ttl))
    }

    /// Answers for ports.
    fn port(&self, wanted: &dyn Fn(&Port) -> bool, asked: &Name, kind: RecordType) -> Lookup {
        if !self.has(wanted) {
            return Lookup::Missing;
        }
        if !matches!(kind, RecordType::SRV | RecordType::ANY) {
            return Lookup::Empty;
        }
        let targets = match &self.entry.service.kind {
            Kind::ClusterIp { ports, .. } => self.service_targets(ports, wanted),
            _ => self.endpoint_targets(wanted),
        };
        let weight = u16::try_from(100 / targets.len().max(1)).map_or(1, |share| share.max(1));
        let service = |(number, target): &(u16, Name)| {
            let data = SRV::new(0, weight, *number, target.clone());
            Record::from_rdata(asked.clone(), self.kubernetes.ttl, RData::SRV(data))
        };
        Lookup::Found {
            answers: targets.iter().map(service).collect(),
            additionals: self.additionals(&targets),
        }
    }

    /// Where a service with a cluster address takes requests: at its own name.
    fn service_targets(
        &self,
        ports: &[Port],
        wanted: &dyn Fn(&Port) -> bool,
    ) -> BTreeSet<(u16, Name)> {
        let numbers = ports.iter().filter(|port| wanted(port));
        numbers
            .map(|port| (port.number, self.name.clone()))
            .collect()
    }

    /// Where a headless service takes requests: at each endpoint's name.
    fn endpoint_targets(&self, wanted: &dyn Fn(&Port) -> bool) -> BTreeSet<(u16, Name)> {
        let of_endpoint = |endpoint: &Endpoint| -> Vec<(u16, Name)> {
            let target = below(&self.name, &[self.label(endpoint)]);
            let numbers = endpoint.ports.iter().filter(|port| wanted(port));
            numbers.map(|port| (port.number, target.clone())).collect()
        };
        self.endpoints().flat_map(of_endpoint).collect()
    }

    /// The addresses of targets.
    fn additionals(&self, targets: &BTreeSet<(u16, Name)>) -> Vec<Record> {
        let names: BTreeSet<&Name> = targets.iter().map(|(_, target)| target).collect();
        if names.contains(&self.name) {
            let ttl = self.kubernetes.ttl;
            return address_records(&self.name, &self.addresses(), RecordType::ANY, ttl);
        }
        let known: BTreeSet<(Name, IpAddr)> = self
            .endpoints()
            .map(|one| (below(&self.name, &[self.label(one)]), one.address))
            .filter(|(name, _)| names.contains(name))
            .collect();
        known
            .iter()
            .map(|(name, address)| address_record(name, *address, self.kubernetes.ttl))
            .collect()
    }

    /// The endpoints, if they have names.
    fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        let endpoints = self.entry.endpoints.iter();
        endpoints.filter(|_| !self.kubernetes.no_endpoints)
    }

    /// An endpoint's label.
    fn label<'a>(&self, endpoint: &'a Endpoint) -> &'a Arc<str> {
        endpoint.label(self.kubernetes.endpoint_pod_names)
    }

    /// The addresses of the service's own name.
    fn addresses(&self) -> BTreeSet<IpAddr> {
        match &self.entry.service.kind {
            Kind::ClusterIp { addresses, .. } => addresses.iter().copied().collect(),
            Kind::Headless => self.endpoints().map(|endpoint| endpoint.address).collect(),
            Kind::External(_) | Kind::Nothing => BTreeSet::new(),
        }
    }

    /// Tells whether the service has such a port, on itself or on a ready endpoint.
    fn has(&self, wanted: impl Fn(&Port) -> bool) -> bool {
        match &self.entry.service.kind {
            Kind::ClusterIp { ports, .. } => ports.iter().any(wanted),
            _ => self.endpoints().any(|one| one.ports.iter().any(&wanted)),
        }
    }
}

/// Makes the record that lets a name stand for another one.
pub(crate) fn alias_record(name: &Name, target: Name, ttl: u32) -> Record {
    Record::from_rdata(name.clone(), ttl, RData::CNAME(CNAME(target)))
}

/// Answers for the schema's version.
fn version_record(name: &Name, kind: RecordType) -> Lookup {
    if !matches!(kind, RecordType::TXT | RecordType::ANY) {
        return Lookup::Empty;
    }
    let text = TXT::new(vec![SCHEMA_VERSION.to_owned()]);
    found(vec![Record::from_rdata(
        name.clone(),
        SCHEMA_TTL,
        RData::TXT(text),
    )])
}

/// Reads the address of a complete name such as `4.3.2.1.in-addr.arpa`.
pub(crate) fn address_of_arpa(name: &Name) -> Option<IpAddr> {
    let mut absolute = name.clone();
    absolute.set_fqdn(true);
    let network = absolute.parse_arpa_name().ok()?;
    (network.prefix_len() == network.max_prefix_len()).then(|| network.addr())
}

/// Makes the address records of a name that are of the kind asked for.
fn address_records(name: &Name, all: &BTreeSet<IpAddr>, kind: RecordType, ttl: u32) -> Vec<Record> {
    let wanted = |address: &&IpAddr| match kind {
        RecordType::A => address.is_ipv4(),
        RecordType::AAAA => address.is_ipv6(),
        RecordType::ANY => true,
        _ => false,
    };
    all.iter()
        .filter(wanted)
        .map(|address| address_record(name, *address, ttl))
        .collect()
}

/// Makes an address record.
pub(crate) fn address_record(name: &Name, address: IpAddr, ttl: u32) -> Record {
    let data = match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    };
    Record::from_rdata(name.clone(), ttl, data)
}

/// Puts labels in front of a name; one that does not fit is left out.
fn below(name: &Name, labels: &[&str]) -> Name {
    labels.iter().rev().fold(name.clone(), |name, label| {
        name.prepend_label(label.as_bytes()).unwrap_or(name)
    })
}

/// Records, or none of this type.
fn some(answers: Vec<Record>) -> Lookup {
    if answers.is_empty() {
        return Lookup::Empty;
    }
    found(answers)
}

/// Records without others beside them.
fn found(answers: Vec<Record>) -> Lookup {
    Lookup::Found {
        answers,
        additionals: Vec::new(),
    }
}

/// A name without records of its own, if it exists.
fn existing(exists: bool) -> Lookup {
    if exists {
        Lookup::Empty
    } else {
        Lookup::Missing
    }
}
