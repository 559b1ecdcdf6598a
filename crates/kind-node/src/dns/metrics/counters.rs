//! What is counted, while it is counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::super::cache::Kept;
use super::super::plugin::log::Exchange;
use super::histogram::{Histogram, SIZES, TIMES, size_in_bytes};
use crate::mutex::lock_mutex;

/// Types that have a label of their own; the others share one.
pub(super) const TYPES: [RecordType; 18] = [
    RecordType::A,
    RecordType::AAAA,
    RecordType::MX,
    RecordType::SOA,
    RecordType::CNAME,
    RecordType::PTR,
    RecordType::TXT,
    RecordType::NS,
    RecordType::SRV,
    RecordType::DS,
    RecordType::DNSKEY,
    RecordType::RRSIG,
    RecordType::NSEC,
    RecordType::NSEC3,
    RecordType::HTTPS,
    RecordType::IXFR,
    RecordType::AXFR,
    RecordType::ANY,
];

/// The most zones and upstream servers that are counted by themselves, whatever Corefiles come.
const MOST_SERIES: usize = 500;

/// All counters.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(super) zones: Mutex<BTreeMap<(String, String), Arc<ZoneMetrics>>>,
    pub(super) upstreams: Mutex<BTreeMap<SocketAddr, Arc<UpstreamMetrics>>>,
    pub(super) caches: Mutex<BTreeMap<(String, String), Arc<CacheMetrics>>>,
    pub(super) rejected: AtomicU64,
    pub(super) autopaths: AtomicU64,
    pub(super) reloads_failed: AtomicU64,
    pub(super) panics: AtomicU64,
    /// What the Corefile in force says of itself.
    pub(super) in_force: Mutex<InForce>,
}

/// What is known of the Corefile in force.
#[derive(Debug, Default, Clone)]
pub(crate) struct InForce {
    /// Its digest.
    pub(crate) hash: String,
    /// Server, zone and name of every plugin that is on.
    pub(crate) plugins: Vec<(String, String, String)>,
    /// Addresses of `hosts`.
    pub(crate) hosts_entries: usize,
}

/// Counters of a zone of a server.
#[derive(Debug)]
pub(crate) struct ZoneMetrics {
    pub(super) requests: [[[AtomicU64; TYPES.len() + 1]; 2]; 2],
    pub(super) dnssec_requests: AtomicU64,
    pub(super) durations: Histogram<{ TIMES.len() }>,
    pub(super) request_sizes: [Histogram<{ SIZES.len() }>; 2],
    pub(super) response_sizes: [Histogram<{ SIZES.len() }>; 2],
    pub(super) responses: Mutex<BTreeMap<(u16, &'static str), u64>>,
}

impl Default for ZoneMetrics {
    fn default() -> Self {
        let sizes = || std::array::from_fn(|_| Histogram::new(SIZES));
        Self {
            requests: std::array::from_fn(|_| {
                std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))
            }),
            dnssec_requests: AtomicU64::new(0),
            durations: Histogram::new(TIMES),
            request_sizes: sizes(),
            response_sizes: sizes(),
            responses: Mutex::default(),
        }
    }
}

impl ZoneMetrics {
    /// Counts an exchange; `plugin` gave the answer.
    pub(crate) fn count(&self, exchange: &Exchange<'_>, plugin: &'static str) {
        let question = exchange.question;
        let transport = usize::from(exchange.protocol == "tcp");
        let family = usize::from(exchange.client.ip().to_canonical().is_ipv6());
        let kind = TYPES.iter().position(|one| *one == question.kind);
        let requests = self.requests.get(transport).and_then(|one| one.get(family));
        if let Some(counter) = requests.and_then(|one| one.get(kind.unwrap_or(TYPES.len()))) {
            increment_counter(counter);
        }
        if question.dnssec_ok {
            increment_counter(&self.dnssec_requests);
        }
        self.durations.observe(exchange.duration.as_secs_f64());
        for (histograms, size) in [
            (&self.request_sizes, exchange.size),
            (&self.response_sizes, exchange.answer_size),
        ] {
            if let Some(histogram) = histograms.get(transport) {
                histogram.observe(size_in_bytes(size));
            }
        }
        let code = exchange.answer.code.into();
        *lock_mutex(&self.responses)
            .entry((code, plugin))
            .or_default() += 1;
    }
}

/// Counters of an upstream server.
#[derive(Debug, Default)]
pub(crate) struct UpstreamMetrics {
    pub(super) requests: AtomicU64,
    pub(super) durations: Mutex<BTreeMap<u16, Histogram<{ TIMES.len() }>>>,
}

impl UpstreamMetrics {
    /// Counts a question.
    pub(crate) fn asked(&self) {
        increment_counter(&self.requests);
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, code: ResponseCode, duration: Duration) {
        let mut durations = lock_mutex(&self.durations);
        let histogram = durations.entry(code.into());
        let histogram = histogram.or_insert_with(|| Histogram::new(TIMES));
        histogram.observe(duration.as_secs_f64());
    }
}

/// Counters of a cache.
#[derive(Debug, Default)]
pub(crate) struct CacheMetrics {
    pub(super) hits: [AtomicU64; 2],
    pub(super) misses: AtomicU64,
    pub(super) entries: [AtomicU64; 2],
}

impl CacheMetrics {
    /// Counts a question that was looked up.
    pub(crate) fn looked_up(&self, found: Option<Kept>) {
        match found {
            Some(Kept::Success) => increment_counter(&self.hits[0]),
            Some(Kept::Denial) => increment_counter(&self.hits[1]),
            None => increment_counter(&self.misses),
        }
    }

    /// Notes how many answers there are.
    pub(crate) fn set_entries(&self, success: usize, denial: usize) {
        for (gauge, entries) in self.entries.iter().zip([success, denial]) {
            gauge.store(
                u64::try_from(entries).unwrap_or(u64::MAX),
                Ordering::Relaxed,
            );
        }
    }
}

impl Metrics {
    /// The counters of a zone on a port.
    pub(crate) fn zone(&self, port: u16, zone: &str) -> Arc<ZoneMetrics> {
        find_series(&self.zones, (server_label(port), zone.to_owned()))
    }

    /// The counters of an upstream server.
    pub(crate) fn upstream(&self, address: SocketAddr) -> Arc<UpstreamMetrics> {
        find_series(&self.upstreams, address)
    }

    /// The counters of a cache for zones.
    pub(crate) fn cache(&self, port: u16, zones: String) -> Arc<CacheMetrics> {
        find_series(&self.caches, (server_label(port), zones))
    }

    /// Counts a question that was refused because too many were under way.
    pub(crate) fn forward_rejected(&self) {
        increment_counter(&self.rejected);
    }

    /// Counts a search path that was walked to its end.
    pub(crate) fn autopath_succeeded(&self) {
        increment_counter(&self.autopaths);
    }

    /// Counts a panic.
    pub(crate) fn panicked(&self) {
        increment_counter(&self.panics);
    }

    /// Counts a Corefile that was refused.
    pub(crate) fn reload_failed(&self) {
        increment_counter(&self.reloads_failed);
    }

    /// Notes what is in force now.
    pub(crate) fn set_in_force(&self, in_force: InForce) {
        *lock_mutex(&self.in_force) = in_force;
    }
}

/// Finds the counters of something, or makes them. Beyond the bound the last ones are shared.
fn find_series<K: Ord + Clone, T: Default>(all: &Mutex<BTreeMap<K, Arc<T>>>, key: K) -> Arc<T> {
    let mut all = lock_mutex(all);
    match all.last_key_value() {
        Some((_, last)) if all.len() >= MOST_SERIES && !all.contains_key(&key) => last.clone(),
        _ => all.entry(key).or_default().clone(),
    }
}

/// What metrics call the server at a port.
pub(crate) fn server_label(port: u16) -> String {
    format!("dns://:{port}")
}

fn increment_counter(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
