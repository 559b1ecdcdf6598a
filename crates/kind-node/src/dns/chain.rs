//! One server block in force.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::rr::Name;

use super::cache::Cache;
use super::configuration::Block;
use super::forward::{Forwarder, Ourselves};
use super::index::Index;
use super::metrics::{self, CacheMetrics, Metrics, ZoneMetrics};
use super::model::Pods;
use super::plugin::hosts::Hosts;
use super::plugin::log;

/// A server block in force.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(super) block: Block,
    pub(super) forwarders: Vec<Forwarder>,
    pub(super) cache: Option<(Mutex<Cache>, Arc<CacheMetrics>)>,
    counters: Vec<Arc<ZoneMetrics>>,
    pub(super) metrics: Arc<Metrics>,
}

/// What is known of the cluster at one moment, shared.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClusterSnapshot {
    /// Its services; nothing until all objects were listed once.
    pub(crate) index: Option<Arc<Index>>,
    /// Its pods, likewise.
    pub(crate) pods: Option<Arc<Pods>>,
}

impl Chain {
    /// Puts a server block in force. `service` are the addresses of our own Service, `listening` tells where the
    /// sockets of a port are.
    pub(crate) fn new(
        mut block: Block,
        service: &[IpAddr],
        listening: impl Fn(u16) -> SocketAddr,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let ourselves = Ourselves {
            service: service.to_vec(),
            listening: block
                .keys
                .iter()
                .map(|(_, port)| listening(*port))
                .collect(),
        };
        let (zone, port) = block.keys.first().cloned().unwrap_or_default();
        let settings = std::mem::take(&mut block.forward);
        let forwarder = |one| Forwarder::new(one, &zone, &ourselves, metrics);
        let cache = block.cache.take().map(Cache::new).map(|cache| {
            let counters = metrics.cache(port, cache.zones_label());
            (Mutex::new(cache), counters)
        });
        let counters = block.keys.iter();
        Self {
            forwarders: settings.into_iter().map(forwarder).collect(),
            cache,
            counters: counters
                .map(|(zone, port)| metrics.zone(*port, &zone.to_ascii()))
                .collect(),
            metrics: metrics.clone(),
            block,
        }
    }

    /// Returns how well a name fits on a port: the place of the longest zone among the keys, and its labels.
    pub(crate) fn matching(&self, port: u16, name: &Name) -> Option<(usize, u8)> {
        let keys = self.block.keys.iter().enumerate();
        let fitting = keys.filter(|(_, (zone, own))| *own == port && zone.zone_of(name));
        let measured = fitting.map(|(place, (zone, _))| (place, zone.num_labels()));
        measured.max_by_key(|(_, labels)| *labels)
    }

    /// The counters for the key at a place, if this block has metrics.
    pub(crate) fn counters(&self, place: usize) -> Option<&ZoneMetrics> {
        self.block.metrics?;
        self.counters.get(place).map(Arc::as_ref)
    }

    /// Server, zone and name of every plugin that is on, as metrics name them.
    pub(crate) fn plugins(&self) -> impl Iterator<Item = (String, String, String)> {
        self.block.keys.iter().flat_map(|(zone, port)| {
            let plugins = self.block.plugins.iter();
            plugins.map(|name| (metrics::server_label(*port), zone.to_ascii(), name.clone()))
        })
    }

    /// How many addresses its hosts have.
    pub(crate) fn hosts_entries(&self) -> usize {
        self.block.hosts.as_ref().map_or(0, Hosts::entries)
    }

    /// Writes a line about an exchange, if the block wants one.
    pub(crate) fn log(&self, exchange: &log::Exchange<'_>) {
        if let Some(line) = log::log_line(&self.block.log, exchange) {
            tracing::info!("{line}");
        }
    }

    /// Sends every upstream server a name that only we know.
    pub(crate) async fn probe(&self) {
        for forwarder in &self.forwarders {
            forwarder.probe().await;
        }
    }
}
