#!/usr/bin/env bash
# Conditions without a time, between Kubernetes and the Rust types made from its API.
#
# The API server (1.36.2) takes `lastTransitionTime: null` in the conditions of a Service's status, and gives it back: programs
# in Go write a time so that was never set. The published schema says that the field is required and a time, so the types of
# k8s-openapi take no null there. What hurts is not that one object: a list is read as a whole, so that one such Service
# makes all Services unreadable for every controller that lists or watches them with these types.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "conditions"
version = "0.1.0"
edition = "2021"
[dependencies]
k8s-openapi = { version = "=0.29.0", features = ["latest"] }
serde_json = "=1.0.145"
TOML
cat >src/main.rs <<'RUST'
use k8s_openapi::List;
use k8s_openapi::api::core::v1::Service;

fn list(time: &str) -> String {
    let condition = format!(r#"{{"type":"A","status":"True","reason":"x","message":"m","lastTransitionTime":{time}}}"#);
    let service = |name: &str, conditions: &str| {
        format!(r#"{{"metadata":{{"name":"{name}"}},"status":{{"conditions":[{conditions}]}}}}"#)
    };
    let items = format!("{},{}", service("one", ""), service("other", &condition));
    format!(r#"{{"apiVersion":"v1","kind":"ServiceList","metadata":{{}},"items":[{items}]}}"#)
}

fn main() {
    for time in [r#""2026-01-01T00:00:00Z""#, "null"] {
        match serde_json::from_str::<List<Service>>(&list(time)) {
            Ok(list) => println!("{time}: {} services", list.items.len()),
            Err(error) => println!("{time}: {error}"),
        }
    }
}
RUST
cargo run --quiet >output
cat output
# Seen: with a time 2 services, with null "invalid type: null, expected a timestamp string at line 1 column 251"
grep -q '^"2026-01-01T00:00:00Z": 2 services$' output
grep -q '^null: invalid type: null, expected ' output
