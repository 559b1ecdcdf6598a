//! Parts of the cluster die and come back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kind_e2e::eventually;

use crate::inside;
use crate::world::{BALANCER, CLUSTER, NODES, World};
use crate::writer::{Writes, missing, write};

/// How long the API server may be away when one of three dies. A request that was on its way to it waits
/// for its own time to run out first.
const LONGEST_GAP: Duration = Duration::from_secs(5);

/// Starts whatever does not run, and waits until all is well.
fn start(world: &World) {
    let arguments = ["start", "cluster", "--name", CLUSTER, "--wait", "2m"];
    world.kind.run(&arguments).expect("start cluster");
    world.nodes_become_ready(180);
}

/// Does something to the cluster while somebody writes to it.
fn under_writes(world: &World, prefix: &'static str, fault: impl FnOnce()) -> Writes {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = write(scope, world, prefix, &stop);
        std::thread::sleep(Duration::from_secs(3));
        fault();
        std::thread::sleep(Duration::from_secs(12));
        stop.store(true, Ordering::SeqCst);
        writer.join().unwrap()
    })
}

pub(crate) fn a_dead_control_plane_costs_no_acknowledged_write(world: &World) {
    let writes = under_writes(world, "cut", || inside::kill(world, NODES[1]));
    assert!(writes.acknowledged.len() > 5, "{writes:?}");
    assert_eq!(missing(world, &writes.acknowledged), Vec::<String>::new());
    assert!(writes.longest_gap < LONGEST_GAP, "{:?}", writes.longest_gap);
    start(world);
    assert_eq!(missing(world, &writes.acknowledged), Vec::<String>::new());
    eventually("etcd has three healthy members again", 120, || {
        let script = "ctr --namespace k8s.io containers ls >/dev/null; \
            kubectl --kubeconfig=/etc/kubernetes/admin.conf --namespace kube-system \
            get pods --selector component=etcd --no-headers";
        let listed = inside::run(world, NODES[0], script)?;
        match listed.lines().filter(|line| line.contains(" 1/1 ")).count() {
            0..3 => Err(listed),
            _ => Ok(()),
        }
    });
}

pub(crate) fn a_dead_load_balancer_can_be_started_again(world: &World) {
    inside::kill(world, BALANCER);
    let gone = world.kind.ask(&["get", "nodes", "--request-timeout=2s"]);
    assert_ne!(gone.code, 0, "{gone:#?}");
    let arguments = ["start", "cluster", "--name", CLUSTER];
    world.kind.run(&arguments).expect("start cluster");
    eventually("the API server is reached through it again", 10, || {
        let answer = world
            .kind
            .ask(&["get", "--raw=/readyz", "--request-timeout=2s"]);
        match answer.code {
            0 => Ok(()),
            _ => Err(answer),
        }
    });
}

/// Thirty seconds without a network are nothing that a worker does not come back from.
pub(crate) fn a_partitioned_worker_comes_back(world: &World) {
    let worker = NODES[3];
    inside::run(world, worker, "ip link set eth0 down").unwrap();
    std::thread::sleep(Duration::from_secs(30));
    let up = "ip link set eth0 up; ip route replace default via $(ip -4 -o addr show eth0 | \
        sed -E 's/.* inet ([0-9]+\\.[0-9]+)\\..*/\\1.0.1/')";
    inside::run(world, worker, up).unwrap();
    world.nodes_become_ready(90);
}

/// The host's end of a link goes with whoever made it; a restart of the node makes it again.
pub(crate) fn a_node_without_its_link_comes_back(world: &World) {
    let worker = NODES[4];
    inside::run(world, worker, "ip link delete eth0").unwrap();
    eventually("the cluster notices", 90, || {
        let listed = world.kind.ask(&["get", "node", worker, "--no-headers"]);
        match listed.stdout.contains("NotReady") {
            true => Ok(()),
            false => Err(listed),
        }
    });
    inside::kill(world, worker);
    start(world);
}

pub(crate) fn a_stopped_cluster_starts_again(world: &World) {
    let before = addresses(world);
    let arguments = ["stop", "cluster", "--name", CLUSTER];
    world.kind.run(&arguments).expect("stop cluster");
    let begin = Instant::now();
    start(world);
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(240), "{took:?}");
    assert_eq!(addresses(world), before);
    let arguments = ["create", "configmap", "after-the-start"];
    world.kind.ask(&arguments).expect("create configmap");
}

fn addresses(world: &World) -> String {
    let path =
        "jsonpath={range .items[*]}{.metadata.name} {.status.addresses[*].address}{\"\\n\"}{end}";
    world
        .kind
        .ask(&["get", "nodes", "-o", path])
        .expect("addresses")
}

/// A worker is reset, forgotten, and joins again by kubeadm's own means.
pub(crate) fn a_node_can_join_by_hand(world: &World) {
    let worker = NODES[5];
    world
        .kind
        .ask(&["delete", "node", worker])
        .expect("delete node");
    let script = format!(
        "systemctl stop kubelet; \
         rm -rf /var/lib/kubelet/pki /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet.conf \
         /etc/kubernetes/pki; \
         kubeadm join {BALANCER}:6443 --token abcdef.0123456789abcdef \
         --discovery-token-unsafe-skip-ca-verification --ignore-preflight-errors=all 2>&1"
    );
    inside::run(world, worker, &script).unwrap();
    world.nodes_become_ready(120);
}
