//! The cluster's zone: which records a name has, from the index alone.
//!
//! The rules are those of "Kubernetes DNS-Based Service Discovery", schema 1.1. Beyond them, as
//! CoreDNS does and programs expect:
//! - endpoints of services with a cluster address have names too;
//! - SRV at a service's own name lists all of its ports;
//! - a pod name is answered for any address, in a namespace that exists (CoreDNS's `pods insecure`).

use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, PTR, SOA, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::index::{Entry, Index};
use super::model::{Endpoint, Kind, Port, Protocol};

/// Seconds that clients may keep a record; what kubeadm gives CoreDNS.
pub(crate) const TTL: u32 = 30;

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
}

/// The zone of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    domain: Name,
}

impl Zone {
    /// A zone for a cluster domain such as `cluster.local.`.
    pub(crate) fn new(domain: Name) -> Self {
        Self { domain }
    }

    /// Returns the zone's SOA record, which goes with every negative answer.
    pub(crate) fn soa(&self, index: &Index) -> Record {
        let soa = SOA::new(
            self.server(),
            self.name(&["hostmaster"]),
            index.serial,
            7200,
            1800,
            86400,
            TTL,
        );
        record(&self.domain, RData::SOA(soa))
    }

    /// Returns what the index knows about a name.
    pub(crate) fn lookup(&self, index: &Index, name: &Name, kind: RecordType) -> Lookup {
        let Some(labels) = self.labels_below(name) else {
            return self.reverse(index, name, kind);
        };
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        match labels.as_slice() {
            [] => self.apex(index, name, kind),
            ["dns-version"] => version(name, kind),
            ["svc" | "pod"] => Lookup::Empty,
            [namespace, "svc" | "pod"] => existing(index.namespace(namespace).is_some()),
            [address, namespace, "pod"] => pod(index, namespace, address, name, kind),
            [below @ .., service, namespace, "svc"] => {
                let Some(entry) = index.service(namespace, service) else {
                    return Lookup::Missing;
                };
                let host = Host {
                    entry,
                    name: self.name(&[service, namespace, "svc"]),
                };
                host.lookup(below, name, kind)
            }
            _ => Lookup::Missing,
        }
    }

    /// Returns the labels before the zone's own in lower case, if the name is in the zone.
    fn labels_below(&self, name: &Name) -> Option<Vec<String>> {
        let own = self.domain.iter().count();
        let below = name.iter().count().checked_sub(own)?;
        let tail = name.iter().skip(below);
        let ours = tail
            .zip(self.domain.iter())
            .all(|(left, right)| left.eq_ignore_ascii_case(right));
        let lower = |label: &[u8]| String::from_utf8_lossy(label).to_ascii_lowercase();
        ours.then(|| name.iter().take(below).map(lower).collect())
    }

    /// Answers for the zone's own name.
    fn apex(&self, index: &Index, name: &Name, kind: RecordType) -> Lookup {
        match kind {
            RecordType::SOA | RecordType::ANY => found(vec![self.soa(index)]),
            RecordType::NS => {
                let mut glue = Vec::new();
                if let Some(entry) = index.service("kube-system", "kube-dns") {
                    let server = Host {
                        entry,
                        name: self.server(),
                    };
                    glue = addresses(&self.server(), &server.addresses(), RecordType::ANY);
                }
                Lookup::Found {
                    answers: vec![record(name, RData::NS(NS(self.server())))],
                    additionals: glue,
                }
            }
            _ => Lookup::Empty,
        }
    }

    /// Answers for the name of an address, if the address belongs to a service.
    fn reverse(&self, index: &Index, name: &Name, kind: RecordType) -> Lookup {
        if !matches!(kind, RecordType::PTR | RecordType::ANY) {
            return Lookup::Outside;
        }
        let Some(address) = address_of_arpa(name) else {
            return Lookup::Outside;
        };
        let pointers: Vec<Record> = index
            .owners(address)
            .into_iter()
            .map(|mut labels| {
                labels.push("svc");
                record(name, RData::PTR(PTR(self.name(&labels))))
            })
            .collect();
        if pointers.is_empty() {
            return Lookup::Outside;
        }
        found(pointers)
    }

    /// Name of the service that this server is behind.
    fn server(&self) -> Name {
        self.name(&["kube-dns", "kube-system", "svc"])
    }

    /// Puts labels in front of the zone's name. Labels come from names of API objects, which are
    /// short; one that is too long is left out.
    fn name(&self, labels: &[&str]) -> Name {
        below(&self.domain, labels)
    }
}

/// A service with its name.
struct Host<'a> {
    entry: &'a Entry,
    name: Name,
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
            _ => some(addresses(asked, &all, kind)),
        }
    }

    /// Answers for one endpoint's name.
    fn endpoint(&self, hostname: &str, asked: &Name, kind: RecordType) -> Lookup {
        let all: BTreeSet<IpAddr> = self
            .entry
            .endpoints
            .iter()
            .filter(|endpoint| &*endpoint.hostname == hostname)
            .map(|endpoint| endpoint.address)
            .collect();
        if all.is_empty() {
            return Lookup::Missing;
        }
        some(addresses(asked, &all, kind))
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
            record(asked, RData::SRV(data))
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
            let target = below(&self.name, &[&endpoint.hostname]);
            let numbers = endpoint.ports.iter().filter(|port| wanted(port));
            numbers.map(|port| (port.number, target.clone())).collect()
        };
        self.entry.endpoints.iter().flat_map(of_endpoint).collect()
    }

    /// The addresses of targets.
    fn additionals(&self, targets: &BTreeSet<(u16, Name)>) -> Vec<Record> {
        let names: BTreeSet<&Name> = targets.iter().map(|(_, target)| target).collect();
        if names.contains(&self.name) {
            return addresses(&self.name, &self.addresses(), RecordType::ANY);
        }
        let known: BTreeSet<(Name, IpAddr)> = self
            .entry
            .endpoints
            .iter()
            .map(|one| (below(&self.name, &[&one.hostname]), one.address))
            .filter(|(name, _)| names.contains(name))
            .collect();
        known
            .iter()
            .map(|(name, address)| address_record(name, *address))
            .collect()
    }

    /// The addresses of the service's own name.
    fn addresses(&self) -> BTreeSet<IpAddr> {
        match &self.entry.service.kind {
            Kind::ClusterIp { addresses, .. } => addresses.iter().copied().collect(),
            Kind::Headless => {
                let endpoints = self.entry.endpoints.iter();
                endpoints.map(|endpoint| endpoint.address).collect()
            }
            Kind::External(_) | Kind::Nothing => BTreeSet::new(),
        }
    }

    /// Tells whether the service has such a port, on itself or on a ready endpoint.
    fn has(&self, wanted: impl Fn(&Port) -> bool) -> bool {
        match &self.entry.service.kind {
            Kind::ClusterIp { ports, .. } => ports.iter().any(wanted),
            _ => {
                let endpoints = &self.entry.endpoints;
                endpoints.iter().any(|one| one.ports.iter().any(&wanted))
            }
        }
    }
}

/// Makes the record that lets a name stand for another one.
pub(crate) fn alias(name: &Name, target: Name) -> Record {
    record(name, RData::CNAME(CNAME(target)))
}

/// Answers for the schema's version.
fn version(name: &Name, kind: RecordType) -> Lookup {
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

/// Answers for a pod's name, which is its address with dashes.
fn pod(index: &Index, namespace: &str, label: &str, name: &Name, kind: RecordType) -> Lookup {
    if index.namespace(namespace).is_none() {
        return Lookup::Missing;
    }
    let four = label.replace('-', ".").parse().map(IpAddr::V4);
    let address = four.or_else(|_| label.replace('-', ":").parse().map(IpAddr::V6));
    match address {
        Ok(address) => some(addresses(name, &BTreeSet::from([address]), kind)),
        Err(_) => Lookup::Missing,
    }
}

/// Reads the address of a complete name such as `4.3.2.1.in-addr.arpa`.
fn address_of_arpa(name: &Name) -> Option<IpAddr> {
    let mut absolute = name.clone();
    absolute.set_fqdn(true);
    let network = absolute.parse_arpa_name().ok()?;
    (network.prefix_len() == network.max_prefix_len()).then(|| network.addr())
}

/// Makes the address records of a name that are of the kind asked for.
fn addresses(name: &Name, all: &BTreeSet<IpAddr>, kind: RecordType) -> Vec<Record> {
    let wanted = |address: &&IpAddr| match kind {
        RecordType::A => address.is_ipv4(),
        RecordType::AAAA => address.is_ipv6(),
        RecordType::ANY => true,
        _ => false,
    };
    all.iter()
        .filter(wanted)
        .map(|address| address_record(name, *address))
        .collect()
}

/// Makes an address record.
fn address_record(name: &Name, address: IpAddr) -> Record {
    let data = match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    };
    record(name, data)
}

/// Makes a record with the usual time to live.
fn record(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), TTL, data)
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
