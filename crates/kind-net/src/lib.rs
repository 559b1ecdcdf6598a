//! Links, routes, nftables rulesets and address pools.
#![forbid(unsafe_code)]
