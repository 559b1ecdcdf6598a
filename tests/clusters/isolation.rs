//! Network policies between the pods of two nodes, in both families.

use std::collections::BTreeSet;

use kind_e2e::{Answer, eventually};

use crate::families::of_both_families;
use crate::names::NODES;
use crate::pages::{Target, reached};
use crate::several::pods_are_ready;
use crate::workloads::SAMPLE;
use crate::world::World;

/// The pod that policies guard, on the worker: its page is at two ports, of which one has a name.
const GUARDED: &str = "guarded";
/// kubectl's arguments for those who ask: on another node, on the same node, and of another namespace.
const CLIENTS: [&[&str]; 3] = [
    &[NODES[0]],
    &[NODES[1]],
    &["--namespace", "elsewhere", "stranger"],
];

/// What each client may reach: any of `4:8080`, `4:8081`, `6:8080`, `6:8081`.
type Allowed = [&'static [&'static str]; 3];

const ALL: &[&str] = &["4:8080", "4:8081", "6:8080", "6:8081"];
const NONE: &[&str] = &[];

/// Policies for the guarded pod, as the rest of their `spec`, and what is allowed then.
const INGRESS: [(&str, &str, Allowed); 6] = [
    ("nothing", "policyTypes: [Ingress]", [NONE, NONE, NONE]),
    (
        "a pod of the same namespace",
        "ingress: [{from: [{podSelector: {matchLabels: {app: pair-control-plane}}}]}]",
        [ALL, NONE, NONE],
    ),
    (
        "pods of another namespace",
        "ingress: [{from: [{namespaceSelector: {matchLabels: {team: elsewhere}}, \
         podSelector: {matchExpressions: [{key: role, operator: In, values: [friend]}]}}]}]",
        [NONE, NONE, ALL],
    ),
    (
        "namespaces or pods",
        "ingress: [{from: [{namespaceSelector: {matchLabels: {team: elsewhere}}}, \
         {podSelector: {matchLabels: {app: pair-worker}}}]}]",
        [NONE, ALL, ALL],
    ),
    (
        "a port by its name, for everyone",
        "ingress: [{ports: [{port: web, protocol: TCP}]}]",
        [
            &["4:8080", "6:8080"],
            &["4:8080", "6:8080"],
            &["4:8080", "6:8080"],
        ],
    ),
    (
        "addresses without some of them, each family by itself",
        "ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16, except: [10.244.1.0/24]}}], ports: [{port: 8081}]}, \
         {from: [{ipBlock: {cidr: 'fd00:10:244:1::/64'}}]}]",
        [&["4:8081"], &["6:8080", "6:8081"], &["4:8081"]],
    ),
];

/// What pods on the same node, on another one and in another namespace may reach follows the policies.
pub(crate) fn policies_hold_between_nodes(world: &World) {
    world.kind.apply(NAMESPACE);
    let account = ["get", "serviceaccount", "default", "-n", "elsewhere"];
    eventually("pods have a service account", 30, || {
        match world.kind.ask(&account) {
            Answer { code: 0, .. } => Ok(()),
            answer => Err(answer),
        }
    });
    let [zero, one] = NODES;
    world.kind.apply(&pod(GUARDED, "default", one));
    world.kind.apply(&pod("stranger", "elsewhere", zero));
    pods_are_ready(world, "default");
    pods_are_ready(world, "elsewhere");
    let targets = targets(world, GUARDED);
    becomes(world, "without a policy", &targets, [ALL, ALL, ALL]);
    for (what, spec, allowed) in INGRESS {
        world.kind.apply(&policy(GUARDED, GUARDED, spec));
        becomes(world, what, &targets, allowed);
        let page = reached(world, &[GUARDED], &self::targets(world, zero)[..1]);
        assert!(!page.is_empty(), "{what}: it still gets answers");
    }
    remove(world, GUARDED);
    becomes(
        world,
        "nothing stays of a policy",
        &targets,
        [ALL, ALL, ALL],
    );
}

/// What a pod may ask follows the policies of its own side.
pub(crate) fn policies_hold_for_what_pods_send(world: &World) {
    let targets = targets(world, GUARDED);
    let asker = "asker";
    for (what, spec, allowed) in [
        ("nothing", "policyTypes: [Egress]", NONE),
        (
            "a port of a pod",
            "egress: [{to: [{podSelector: {matchLabels: {app: guarded}}}], ports: [{port: 8081}]}]\n  \
             policyTypes: [Egress]",
            &["4:8081", "6:8081"],
        ),
        (
            "an address",
            "egress: [{to: [{ipBlock: {cidr: 'fd00:10:244::/56'}}]}]\n  policyTypes: [Egress]",
            &["6:8080", "6:8081"],
        ),
    ] {
        world.kind.apply(&policy(asker, NODES[0], spec));
        becomes(world, what, &targets, [allowed, ALL, ALL]);
    }
    remove(world, asker);
    becomes(
        world,
        "nothing stays of a policy",
        &targets,
        [ALL, ALL, ALL],
    );
}

/// Waits until exactly that is allowed.
fn becomes(world: &World, what: &str, targets: &[Target], allowed: Allowed) {
    let names = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let allowed = allowed.map(names);
    eventually(what, 30, || {
        let seen = std::thread::scope(|scope| {
            let asked = CLIENTS.map(|client| scope.spawn(move || reached(world, client, targets)));
            asked.map(|client| client.join().unwrap())
        });
        if seen == allowed { Ok(()) } else { Err(seen) }
    });
}

/// Both ports of a pod at both its addresses.
fn targets(world: &World, pod: &str) -> Vec<Target> {
    let addresses = of_both_families(world, &["pod", pod], "{.status.podIPs[*].ip}");
    let target = |(family, port): (usize, u16)| Target {
        name: format!("{}:{port}", [4, 6][family]),
        ..Target::at(addresses[family], port)
    };
    [(0, 8080), (0, 8081), (1, 8080), (1, 8081)]
        .map(target)
        .to_vec()
}

fn remove(world: &World, policy: &str) {
    let delete = ["delete", "networkpolicy", policy];
    world.kind.ask(&delete).expect("delete");
}

fn policy(name: &str, app: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}}}\nspec:\n  \
         podSelector: {{matchLabels: {{app: {app}}}}}\n  {spec}\n"
    )
}

const NAMESPACE: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: elsewhere, labels: {team: elsewhere}}
";

/// The sample app with its page at two ports.
fn pod(name: &str, namespace: &str, node: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  \
         labels: {{app: {name}, role: friend}}\nspec:\n  nodeName: {node}\n  tolerations: [{{operator: Exists}}]\n  \
         terminationGracePeriodSeconds: 0\n  containers:\n  - name: main\n    image: {SAMPLE}\n    \
         imagePullPolicy: Never\n    ports: [{{name: web, containerPort: 8080}}]\n    \
         command: [/bin/sh, -c, '{SERVE}']\n"
    )
}

const SERVE: &str = "mkdir -p /www; echo \"Hello from pod $(hostname)\" > /www/index.html; \
                     httpd -p 8081 -h /www; exec httpd -f -p 8080 -h /www";
