//! What a user edits into the Corefile counts within seconds; what is wrong with it is told.

use kind_e2e::eventually;
use serde_json::json;

use crate::world::World;

/// How soon an edit counts.
const SECONDS: u64 = 10;

/// Where the Corefile is.
const CONFIG_MAP: [&str; 4] = ["--namespace", "kube-system", "configmap", "coredns"];

/// The cluster's Corefile as it was, put back whatever happens.
struct Original<'a> {
    world: &'a World,
    text: String,
}

impl Original<'_> {
    fn of(world: &World) -> Original<'_> {
        let path = ["--output", r"jsonpath={.data.Corefile}"];
        let get = [&["get"], &CONFIG_MAP[..], &path].concat();
        let text = world.kind.ask(&get).expect("the Corefile");
        Original { world, text }
    }

    /// Writes a Corefile as `kubectl edit` does.
    fn replace(&self, text: &str) {
        let patch = json!({ "data": { "Corefile": text } }).to_string();
        let options = ["--type", "merge", "--patch", &patch];
        let patch = [&["patch"], &CONFIG_MAP[..], &options].concat();
        self.world.kind.ask(&patch).expect("kubectl patch");
    }
}

impl Drop for Original<'_> {
    fn drop(&mut self) {
        let patch = json!({ "data": { "Corefile": self.text } }).to_string();
        let options = ["--type", "merge", "--patch", &patch];
        // The test has failed already if this does.
        let _ = self
            .world
            .kind
            .ask(&[&["patch"], &CONFIG_MAP[..], &options].concat());
    }
}

/// Adds hosts, a rewritten domain and a stub domain whose server is another server block.
fn edited(original: &str) -> String {
    let added = "\
        hosts {
           192.0.2.7 db.corp.example
           fallthrough
        }
        rewrite name suffix .my.domain .default.svc.cluster.local answer auto
        ready";
    let stub = "
        acme.local {
            forward . 127.0.0.1:1053
        }
        acme.local:1053 {
            hosts {
                192.0.2.8 www.acme.local
            }
        }";
    original.replacen("ready", added, 1) + stub
}

pub(crate) fn edits_of_the_corefile_count(world: &World) {
    let original = Original::of(world);
    let knows = |name: &str, address: &str| {
        eventually(&format!("{name} is known"), SECONDS, || {
            let answer = world.kind.shell("client", &format!("nslookup {name}"));
            if answer.code == 0 && answer.stdout.contains(address) {
                Ok(())
            } else {
                Err(answer)
            }
        });
    };
    let path = [
        "get",
        "service",
        "sample",
        "--output",
        "jsonpath={.spec.clusterIP}",
    ];
    let sample = world.kind.ask(&path).expect("the address of a service");

    original.replace(&edited(&original.text));
    knows("db.corp.example", "192.0.2.7");
    knows("sample.my.domain", &sample);
    knows("www.acme.local", "192.0.2.8");

    // A mistake leaves what was said before, and a plugin that there is not leaves the rest.
    original.replace(&edited(&original.text).replacen("hosts {", "hots {", 1));
    told(world, "CorefileInvalid", "hots: unknown directive");
    knows("db.corp.example", "192.0.2.7");
    original.replace(&original.text.replacen("errors", "errors\n    dns64", 1));
    told(
        world,
        "CorefileNotSupported",
        "Corefile:3: dns64: not supported",
    );
    knows("sample.default.svc.cluster.local", &sample);
    metrics_are_served(world);
}

/// An Event on the ConfigMap says so.
fn told(world: &World, reason: &str, message: &str) {
    let of_ours = format!("involvedObject.name=coredns,reason={reason}");
    let get = [
        "--namespace",
        "kube-system",
        "get",
        "events",
        "--field-selector",
        &of_ours,
    ];
    let get = [&get[..], &["--output", "jsonpath={.items[*].message}"]].concat();
    eventually("an Event tells what is wrong", SECONDS, || {
        let events = world.kind.ask(&get);
        if events.stdout.contains(message) {
            Ok(())
        } else {
            Err(events)
        }
    });
}

/// By the names that dashboards for CoreDNS have.
fn metrics_are_served(world: &World) {
    let ask = "printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' | nc -w 2 kube-dns.kube-system.svc.cluster.local 9153";
    let page = world.kind.shell("client", ask).expect("metrics");
    for name in [
        "coredns_dns_requests_total{server=\"dns://:53\",zone=\".\"",
        "coredns_dns_request_duration_seconds_bucket{",
        "coredns_cache_entries{",
        "coredns_build_info{",
    ] {
        assert!(page.contains(name), "{name} is missing in:\n{page}");
    }
}
