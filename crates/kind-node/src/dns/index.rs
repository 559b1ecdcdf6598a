//! The records' source: an immutable picture of services and endpoints, shared by all lookups.
//!
//! It is made of one part for each namespace, so that a change costs no more than the namespace it
//! happened in; the other parts are shared with the picture before.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::model::{Endpoint, Endpoints, Kind, Service};

/// Labels of a service's name below `svc.<zone>`.
pub(crate) const SERVICE_LABELS: usize = 2;

/// Everything lookups need, at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Grows with every change; the serial of the zone.
    pub(crate) serial: u32,
    namespaces: HashMap<Box<str>, Arc<Namespace>>,
}

impl Index {
    /// An empty index.
    pub(crate) fn new(serial: u32) -> Self {
        Self {
            serial,
            namespaces: HashMap::new(),
        }
    }

    /// Returns a namespace that exists.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.get(name).map(Arc::as_ref)
    }

    /// Returns a service with its endpoints.
    pub(crate) fn service(&self, namespace: &str, name: &str) -> Option<&Entry> {
        self.namespace(namespace)?.services.get(name)
    }

    /// Returns what an address belongs to, as labels below `svc.<zone>`: one service that has it as its own, or
    /// else every endpoint that has it, of whatever service. `by_pod` calls endpoints by their pods; namespaces
    /// that `exposed` is false for are left out.
    pub(crate) fn owners(
        &self,
        address: IpAddr,
        by_pod: bool,
        exposed: impl Fn(&str) -> bool,
    ) -> Vec<Vec<&str>> {
        let exposed = self.namespaces.iter().filter(|(name, _)| exposed(name));
        let mut owners: Vec<Vec<&str>> = exposed
            .flat_map(|(namespace, part)| {
                let found = part.reverse.get(&address).into_iter().flatten();
                found.map(|owner| owner.labels(namespace, by_pod))
            })
            .collect();
        owners.sort_by(|left, right| (left.len(), left).cmp(&(right.len(), right)));
        if owners
            .first()
            .is_some_and(|first| first.len() == SERVICE_LABELS)
        {
            owners.truncate(1);
        }
        owners
    }

    /// Puts in the new state of a namespace, or takes it out.
    pub(crate) fn replace(&mut self, name: &str, namespace: Option<Namespace>) {
        match namespace {
            Some(part) => self.namespaces.insert(name.into(), Arc::new(part)),
            None => self.namespaces.remove(name),
        };
    }
}

/// The services of one namespace.
#[derive(Debug, Default)]
pub(crate) struct Namespace {
    services: HashMap<Box<str>, Entry>,
    reverse: HashMap<IpAddr, Vec<Owner>>,
}

impl Namespace {
    /// Joins services with the endpoints that belong to them.
    pub(crate) fn build<'a>(
        services: impl Iterator<Item = (&'a str, &'a Arc<Service>)>,
        endpoints: impl Iterator<Item = &'a Endpoints>,
    ) -> Self {
        let mut behind: HashMap<&str, Vec<&Endpoint>> = HashMap::new();
        for object in endpoints {
            let list = behind.entry(&object.service).or_default();
            list.extend(&object.endpoints);
        }
        let mut namespace = Self::default();
        for (name, service) in services {
            let entry = Entry::build(service, behind.get(name).map_or(&[], Vec::as_slice));
            namespace.remember_addresses(name, &entry);
            namespace.services.insert(name.into(), entry);
        }
        namespace
    }

    /// Notes which addresses lead back to a service.
    fn remember_addresses(&mut self, name: &str, entry: &Entry) {
        let name: Arc<str> = name.into();
        let mut note = |address, endpoint| {
            let owner = Owner {
                endpoint,
                service: name.clone(),
            };
            let owners = self.reverse.entry(address).or_default();
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        };
        match &entry.service.kind {
            Kind::ClusterIp { addresses, .. } => {
                addresses.iter().for_each(|address| note(*address, None));
            }
            Kind::External(_) => return,
            Kind::Headless | Kind::Nothing => {}
        }
        for endpoint in &entry.endpoints {
            let labels = (endpoint.hostname.clone(), endpoint.pod_hostname.clone());
            note(endpoint.address, Some(labels));
        }
    }
}

/// A service with its endpoints.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) service: Arc<Service>,
    /// Endpoints that count as ready.
    pub(crate) endpoints: Vec<Endpoint>,
}

impl Entry {
    /// Keeps the endpoints that count as ready.
    fn build(service: &Arc<Service>, endpoints: &[&Endpoint]) -> Self {
        let published = endpoints
            .iter()
            .filter(|endpoint| endpoint.ready || service.publish_not_ready)
            .map(|endpoint| (*endpoint).clone())
            .collect();
        Self {
            service: service.clone(),
            endpoints: published,
        }
    }
}

/// What an address belongs to.
#[derive(Debug, PartialEq, Eq)]
struct Owner {
    /// For an endpoint, its label, and that by its pod.
    endpoint: Option<(Arc<str>, Arc<str>)>,
    service: Arc<str>,
}

impl Owner {
    /// Returns the labels of its name.
    fn labels<'a>(&'a self, namespace: &'a str, by_pod: bool) -> Vec<&'a str> {
        let endpoint = self.endpoint.iter();
        let label = endpoint.map(|(hostname, pod)| &**(if by_pod { pod } else { hostname }));
        label.chain([&*self.service, namespace]).collect()
    }
}
