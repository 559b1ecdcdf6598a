//! Nodes that kubeadm manages after the cluster was made.

use kind_e2e::eventually;

use crate::clusters::{BALANCER, MANY};
use crate::inside;
use crate::world::{NODE_IMAGE, World};

/// A node that no configuration knows.
const NEW: &str = "many-control-plane4";

pub(crate) fn kubeadm_renews_certificates_and_upgrades(world: &World) {
    let [first, second, worker] = [MANY.nodes[0], MANY.nodes[1], MANY.nodes[3]];
    let run = |node, script: &str| inside::run(world, node, script).unwrap();
    run(second, "kubeadm certs renew all 2>&1");
    run(second, "kubeadm certs check-expiration 2>&1");
    // Whatever kubeadm wants to know of a cluster before it upgrades it is there.
    run(
        first,
        "kubeadm upgrade plan \"$(cat /kind/version)\" --allow-experimental-upgrades 2>&1",
    );
    for node in [first, second, worker] {
        let upgraded = run(
            node,
            "kubeadm upgrade node --ignore-preflight-errors=all 2>&1",
        );
        assert!(upgraded.contains("[upgrade]"), "{upgraded}");
    }
    world.nodes_become_ready(&MANY, 120);
}

/// `kubeadm join` with a new token, as kubeadm itself prints it.
fn join_command(world: &World) -> String {
    let create = "kubeadm token create --print-join-command 2>/dev/null";
    let printed = inside::run(world, MANY.nodes[0], create).unwrap();
    let command = printed.trim();
    assert!(
        command.starts_with(&format!("kubeadm join {BALANCER}:6443 --token ")),
        "{command}"
    );
    format!("{command} --ignore-preflight-errors=all")
}

/// A worker is reset, forgotten, and joins again by kubeadm's own means.
pub(crate) fn a_node_can_join_by_hand(world: &World) {
    let worker = MANY.nodes[5];
    inside::run(world, worker, "kubeadm reset --force 2>&1").unwrap();
    let delete = ["delete", "node", worker];
    world.kind.ask(&delete).expect("delete node");
    let script = format!("{} 2>&1", join_command(world));
    inside::run(world, worker, &script).unwrap();
    world.nodes_become_ready(&MANY, 120);
}

/// A container that nobody but the engine's user made becomes a control plane, and the load balancer leads to
/// it as long as it is one.
pub(crate) fn a_new_control_plane_joins_by_hand(world: &World) {
    let arguments = [
        "run",
        "--detach",
        "--privileged",
        "--name",
        NEW,
        "--hostname",
        NEW,
        "--net",
        "kind",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/run",
        "--volume",
        "/var",
        "--label",
        "io.x-k8s.kind.cluster=many",
        "--label",
        "io.x-k8s.kind.role=control-plane",
        "--cgroupns=private",
        "--volume",
        "/lib/modules:/lib/modules:ro",
        NODE_IMAGE,
    ];
    world.engine.client(&arguments).expect("docker run");
    let ready = "until systemctl is-active containerd; do sleep 0.2; done";
    inside::run(world, NEW, ready).unwrap();
    let upload = "kubeadm init phase upload-certs --upload-certs 2>/dev/null | tail -n 1";
    let key = inside::run(world, MANY.nodes[0], upload).unwrap();
    let script = format!(
        "{} --control-plane --certificate-key {} 2>&1",
        join_command(world),
        key.trim()
    );
    inside::run(world, NEW, &script).unwrap();
    eventually("the new node is ready", 120, || {
        let listed = world.kind.ask(&["get", "node", NEW, "--no-headers"]);
        match listed.stdout.split_whitespace().nth(1) {
            Some("Ready") => Ok(()),
            _ => Err(listed),
        }
    });
    the_balancer_leads_to_the_new_one(world, true);
    // It leaves as it came: its address is not for life, as only those of nodes made by kind are.
    inside::run(world, NEW, "kubeadm reset --force 2>&1").unwrap();
    world
        .kind
        .ask(&["delete", "node", NEW])
        .expect("delete node");
    the_balancer_leads_to_the_new_one(world, false);
    let remove = ["rm", "--force", "--volumes", NEW];
    world.engine.client(&remove).expect("docker rm");
}

fn the_balancer_leads_to_the_new_one(world: &World, wanted: bool) {
    eventually("the load balancer follows the control planes", 30, || {
        let settings = world
            .engine
            .client(&["exec", BALANCER, "cat", "/kind/load-balancer.json"]);
        if settings.code == 0 && settings.stdout.contains(NEW) == wanted {
            Ok(())
        } else {
            Err(settings)
        }
    });
}
