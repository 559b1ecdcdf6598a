//! What cluster DNS keeps of the API's objects: a small part of each, so that a large cluster costs
//! little memory.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::rr::Name;

use crate::kubernetes::Protocol;

/// Namespace and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Its namespace; for a Namespace object, that namespace itself.
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
}

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    /// What the service's own name stands for.
    pub(crate) kind: Kind,
    /// Endpoints count as ready whatever their state.
    pub(crate) publish_not_ready: bool,
}

/// What a service's own name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Virtual addresses.
    ClusterIp {
        /// One or, with dual stack, two.
        addresses: Vec<IpAddr>,
        /// The service's ports.
        ports: Vec<Port>,
    },
    /// The addresses of its endpoints.
    Headless,
    /// Another name.
    External(Name),
    /// Nothing (yet): no address was given to it.
    Nothing,
}

/// A port with the name that SRV records know it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Port {
    /// Name; empty for the only port of a service, which may go without.
    pub(crate) name: Box<str>,
    /// Transport protocol.
    pub(crate) protocol: Protocol,
    pub(crate) number: u16,
}

/// An EndpointSlice, or an Endpoints object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// Name of the service in the same namespace; empty if it belongs to none.
    pub(crate) service: Box<str>,
    /// Its endpoints, one for each address.
    pub(crate) endpoints: Vec<Endpoint>,
}

/// The namespaces of pods by address.
pub(crate) type Pods = HashMap<IpAddr, BTreeSet<Box<str>>>;

/// One address behind a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Its label below the service's name, in lower case.
    pub(crate) hostname: Arc<str>,
    /// Its label where endpoints without a hostname are called by their pod.
    pub(crate) pod_hostname: Arc<str>,
    pub(crate) address: IpAddr,
    /// It takes requests.
    pub(crate) ready: bool,
    /// Ports, the same for many endpoints.
    pub(crate) ports: Arc<[Port]>,
}

impl Endpoint {
    /// Its label below the service's name.
    pub(crate) fn label(&self, by_pod: bool) -> &Arc<str> {
        if by_pod {
            &self.pod_hostname
        } else {
            &self.hostname
        }
    }
}
