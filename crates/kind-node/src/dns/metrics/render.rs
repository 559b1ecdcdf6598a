//! What was counted, by CoreDNS's names.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::plugin::log::code_name;
use super::counters::{Metrics, TYPES, ZoneMetrics};
use super::exposition::Page;
use super::histogram::{Histogram, SIZES};
use crate::mutex::lock_mutex;

/// Labels of transports and address families, in the order of their counters.
const TRANSPORTS: [&str; 2] = ["udp", "tcp"];
const FAMILIES: [&str; 2] = ["1", "2"];

/// Labels of the kinds of kept answers, in the order of their counters.
const CACHE_TYPES: [&str; 2] = ["success", "denial"];

impl Metrics {
    /// Writes everything down.
    pub(crate) fn render(&self) -> String {
        let mut page = Page::default();
        self.render_requests(&mut page);
        self.render_responses(&mut page);
        self.render_times(&mut page);
        self.render_sizes(&mut page);
        self.render_caches(&mut page);
        self.render_upstreams(&mut page);
        self.render_program(&mut page);
        page.into_text()
    }

    fn render_requests(&self, page: &mut Page) {
        let help = "Counter of DNS requests made per zone, protocol and family.";
        page.begin_family("coredns_dns_requests_total", "counter", help);
        for ((server, zone), metrics) in lock_mutex(&self.zones).iter() {
            for (proto, family, kind, count) in request_counters(metrics) {
                let place = [("server", &**server), ("zone", zone), ("view", "")];
                let sort = [("proto", proto), ("family", family), ("type", &*kind)];
                page.count_if_any(&[place, sort].concat(), count);
            }
        }
        let help = "Counter of DNS requests with DO bit set per zone.";
        page.begin_family("coredns_dns_do_requests_total", "counter", help);
        for ((server, zone), metrics) in lock_mutex(&self.zones).iter() {
            let labels = [("server", &**server), ("zone", zone), ("view", "")];
            page.count_if_any(&labels, load_counter(&metrics.dnssec_requests));
        }
    }

    fn render_responses(&self, page: &mut Page) {
        let help = "Counter of response status codes.";
        page.begin_family("coredns_dns_responses_total", "counter", help);
        for ((server, zone), metrics) in lock_mutex(&self.zones).iter() {
            for ((code, plugin), count) in lock_mutex(&metrics.responses).iter() {
                let code = code_name((*code).into());
                let place = [("server", &**server), ("zone", zone), ("view", "")];
                let result = [("rcode", &*code), ("plugin", plugin)];
                page.add_count(&[&place[..], &result].concat(), *count);
            }
        }
    }

    fn render_times(&self, page: &mut Page) {
        let help = "Histogram of the time (in seconds) each request took per zone.";
        page.begin_family("coredns_dns_request_duration_seconds", "histogram", help);
        for ((server, zone), metrics) in lock_mutex(&self.zones).iter() {
            let labels = [("server", &**server), ("zone", zone), ("view", "")];
            page.add_histogram(&labels, &metrics.durations.snapshot());
        }
    }

    fn render_sizes(&self, page: &mut Page) {
        type Sizes = fn(&ZoneMetrics) -> &[Histogram<{ SIZES.len() }>; 2];
        let families: [(&str, &str, Sizes); 2] = [
            (
                "coredns_dns_request_size_bytes",
                "Size of the requests in bytes.",
                |zone| &zone.request_sizes,
            ),
            (
                "coredns_dns_response_size_bytes",
                "Size of the returned response in bytes.",
                |zone| &zone.response_sizes,
            ),
        ];
        for (name, help, sizes) in families {
            page.begin_family(name, "histogram", help);
            for ((server, zone), metrics) in lock_mutex(&self.zones).iter() {
                for (proto, histogram) in TRANSPORTS.iter().zip(sizes(metrics)) {
                    let place = [("server", &**server), ("zone", zone), ("view", "")];
                    page.add_histogram(
                        &[&place[..], &[("proto", proto)]].concat(),
                        &histogram.snapshot(),
                    );
                }
            }
        }
    }

    fn render_caches(&self, page: &mut Page) {
        let caches = lock_mutex(&self.caches);
        for (name, kind, help, entries) in [
            (
                "coredns_cache_entries",
                "gauge",
                "The number of elements in the cache.",
                true,
            ),
            (
                "coredns_cache_hits_total",
                "counter",
                "The count of cache hits.",
                false,
            ),
        ] {
            page.begin_family(name, kind, help);
            for ((server, zones), metrics) in caches.iter() {
                let counters = if entries {
                    &metrics.entries
                } else {
                    &metrics.hits
                };
                for (kept, counter) in CACHE_TYPES.iter().zip(counters) {
                    let labels = [
                        ("server", &**server),
                        ("type", kept),
                        ("zones", zones),
                        ("view", ""),
                    ];
                    page.add_count(&labels, load_counter(counter));
                }
            }
        }
        for (name, help, with_hits) in [
            (
                "coredns_cache_misses_total",
                "The count of cache misses. Deprecated, derive misses from cache hits/requests counters.",
                false,
            ),
            (
                "coredns_cache_requests_total",
                "The count of cache requests.",
                true,
            ),
        ] {
            page.begin_family(name, "counter", help);
            for ((server, zones), metrics) in caches.iter() {
                let hits = metrics.hits.iter().filter(|_| with_hits).map(load_counter);
                let count = load_counter(&metrics.misses) + hits.sum::<u64>();
                page.add_count(&[("server", server), ("zones", zones), ("view", "")], count);
            }
        }
    }

    fn render_upstreams(&self, page: &mut Page) {
        let upstreams = lock_mutex(&self.upstreams);
        let answers: Vec<_> = upstreams
            .iter()
            .flat_map(|(address, metrics)| {
                let durations = lock_mutex(&metrics.durations);
                let snapshots = durations.iter().map(|(code, one)| {
                    (
                        address.to_string(),
                        code_name((*code).into()),
                        one.snapshot(),
                    )
                });
                snapshots.collect::<Vec<_>>()
            })
            .collect();
        let help = "Histogram of the time each request took.";
        page.begin_family("coredns_proxy_request_duration_seconds", "histogram", help);
        for (to, code, snapshot) in &answers {
            page.add_histogram(
                &[("proxy_name", "forward"), ("to", to), ("rcode", code)],
                snapshot,
            );
        }
        page.begin_family(
            "coredns_forward_request_duration_seconds",
            "histogram",
            help,
        );
        for (to, code, snapshot) in &answers {
            page.add_histogram(&[("to", to), ("rcode", code)], snapshot);
        }
        page.begin_family(
            "coredns_forward_responses_total",
            "counter",
            "Counter of responses received per upstream.",
        );
        for (to, code, snapshot) in &answers {
            page.add_count(&[("to", to), ("rcode", code)], snapshot.total);
        }
        page.begin_family(
            "coredns_forward_requests_total",
            "counter",
            "Counter of requests made per upstream.",
        );
        for (address, metrics) in upstreams.iter() {
            page.add_count(
                &[("to", &address.to_string())],
                load_counter(&metrics.requests),
            );
        }
        let help = "Counter of the number of queries rejected because the concurrent queries were at maximum.";
        page.begin_family(
            "coredns_forward_max_concurrent_rejects_total",
            "counter",
            help,
        );
        page.add_count(&[], load_counter(&self.rejected));
    }

    fn render_program(&self, page: &mut Page) {
        let in_force = lock_mutex(&self.in_force).clone();
        page.begin_family(
            "coredns_plugin_enabled",
            "gauge",
            "A metric that indicates whether a plugin is enabled on per server and zone basis.",
        );
        for (server, zone, name) in &in_force.plugins {
            page.add_count(
                &[
                    ("server", server),
                    ("zone", zone),
                    ("view", ""),
                    ("name", name),
                ],
                1,
            );
        }
        page.begin_family(
            "coredns_hosts_entries",
            "gauge",
            "The combined number of entries in hosts and Corefile.",
        );
        page.add_value(&[], super::histogram::size_in_bytes(in_force.hosts_entries));
        page.begin_family("coredns_reload_version_info", "gauge", "A metric with a constant value of 1 labeled by hash, which is the hash of the loaded Corefile.");
        page.add_count(&[("hash", "sha512"), ("value", &in_force.hash)], 1);
        page.begin_family(
            "coredns_reload_failed_total",
            "counter",
            "Counter of the number of failed reload attempts.",
        );
        page.add_count(&[], load_counter(&self.reloads_failed));
        page.begin_family(
            "coredns_autopath_success_total",
            "counter",
            "Counter of requests that did autopath.",
        );
        page.add_count(&[], load_counter(&self.autopaths));
        page.begin_family(
            "coredns_panics_total",
            "counter",
            "A metrics that counts the number of panics.",
        );
        page.add_count(&[], load_counter(&self.panics));
        page.begin_family("coredns_build_info", "gauge", "A metric with a constant '1' value labeled by version, revision, and goversion from which CoreDNS was built.");
        let version = concat!("kind-node-", env!("CARGO_PKG_VERSION"));
        page.add_count(
            &[("goversion", ""), ("revision", ""), ("version", version)],
            1,
        );
    }
}

/// Every counter of questions with its labels.
fn request_counters(
    metrics: &ZoneMetrics,
) -> impl Iterator<Item = (&'static str, &'static str, String, u64)> {
    let transports = TRANSPORTS.iter().zip(&metrics.requests);
    transports.flat_map(|(proto, families)| {
        FAMILIES
            .iter()
            .zip(families)
            .flat_map(move |(family, kinds)| {
                kinds.iter().enumerate().map(move |(index, counter)| {
                    let kind = TYPES
                        .get(index)
                        .map_or("other".to_owned(), ToString::to_string);
                    (*proto, *family, kind, load_counter(counter))
                })
            })
    })
}

fn load_counter(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
