//! Counters with CoreDNS's names, in the text format of Prometheus.
//!
//! Labels are bounded: zones are those of Corefiles, record types and response codes a fixed list, upstream servers
//! those that a Corefile names. Everything is counted for as long as the program runs, over reloads.

mod counters;
mod exposition;
mod histogram;
mod render;

pub(crate) use counters::{
    CacheMetrics, InForce, Metrics, UpstreamMetrics, ZoneMetrics, server_label,
};
