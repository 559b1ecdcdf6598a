//! Parts of the cluster die and come back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kind_e2e::eventually;

use crate::clusters::{BALANCER, MANY};
use crate::inside;
use crate::traffic::the_pods_talk;
use crate::watcher::Watcher;
use crate::world::World;
use crate::writer::{Writes, missing, write};

/// How long the API server may be away when one of three dies. A request that was on its way to it waits
/// for its own time to run out first.
const LONGEST_GAP: Duration = Duration::from_secs(5);
/// How long names are asked for after a control plane has died: until well after the cluster has noticed.
const NAMED_FOR: Duration = Duration::from_secs(60);
/// How long a partition lasts.
const PARTITION: Duration = Duration::from_secs(30);

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
    let watcher = Watcher::start(world);
    let writes = under_writes(world, "cut", || inside::kill(world, &[MANY.nodes[1]]));
    assert!(writes.acknowledged.len() > 5, "{writes:?}");
    assert_eq!(missing(world, &writes.acknowledged), Vec::<String>::new());
    assert!(writes.longest_gap < LONGEST_GAP, "{:?}", writes.longest_gap);
    eventually("the watch tells of every write", 20, || {
        match watcher.missed(&writes.acknowledged) {
            missed if missed.is_empty() => Ok(()),
            missed => Err(missed),
        }
    });
    world.start(&MANY);
    assert_eq!(missing(world, &writes.acknowledged), Vec::<String>::new());
    eventually("etcd has three healthy members again", 120, || {
        let pods = [
            "pods",
            "--namespace",
            "kube-system",
            "--selector",
            "component=etcd",
        ];
        let ready = "{.items[*].status.containerStatuses[0].ready}";
        match world.get(&pods, ready).as_str() {
            "true true true" => Ok(()),
            ready => Err(ready.to_owned()),
        }
    });
}

/// Names are known on every node. Before Kubernetes 1.22 a question may go to the dead one as long as nobody has
/// noticed its death; like any program, the pod asks again. It asks by itself: an API server whose etcd is choosing
/// a new leader refuses requests for a moment, which says nothing about names.
pub(crate) fn a_dead_control_plane_costs_no_names(world: &World) {
    let asks = format!(
        "ask() {{ for _ in 1 2 3 4 5 6; do \
             timeout 2 nslookup kubernetes.default.svc.cluster.local && return; done; return 1; }}; \
         end=$(($(date +%s) + {})); \
         while [ $(date +%s) -lt $end ]; do if ask >/tmp/answer 2>&1; then echo named; \
             else cat /tmp/answer; echo lost; fi; sleep 1; done >/tmp/names; echo >>/tmp/names end",
        NAMED_FOR.as_secs()
    );
    let started = format!("rm -f /tmp/names; ({asks}) </dev/null >/dev/null 2>&1 &");
    world.kind.shell("one", &started).expect("ask for names");
    inside::kill(world, &[MANY.nodes[2]]);
    std::thread::sleep(NAMED_FOR);
    let mut told = String::new();
    eventually("the pod has asked for the last time", 60, || {
        let answer = world.kind.shell("one", "cat /tmp/names");
        told.clone_from(&answer.stdout);
        if answer.code == 0 && told.ends_with("end\n") {
            Ok(())
        } else {
            Err(answer)
        }
    });
    let count = |what: &str| told.lines().filter(|line| *line == what).count();
    assert_eq!(count("lost"), 0, "{told}");
    assert!(count("named") > 10, "{told}");
    world.start(&MANY);
}

pub(crate) fn a_dead_load_balancer_can_be_started_again(world: &World) {
    inside::kill(world, &[BALANCER]);
    let gone = world.kind.ask(&["get", "nodes", "--request-timeout=2s"]);
    assert_ne!(gone.code, 0, "{gone:#?}");
    let arguments = ["start", "cluster", "--name", MANY.name];
    world.kind.run(&arguments).expect("start cluster");
    eventually("the API server is reached through it again", 30, || {
        let arguments = ["get", "--raw=/readyz", "--request-timeout=5s"];
        match world.kind.ask(&arguments) {
            answer if answer.code == 0 => Ok(()),
            answer => Err(answer),
        }
    });
}

/// Thirty seconds without a network are nothing that a worker does not come back from.
pub(crate) fn a_partitioned_worker_comes_back(world: &World) {
    let rules = |verb: &str| {
        format!(
            "iptables -w {verb} INPUT -i eth0 -j DROP; iptables -w {verb} OUTPUT -o eth0 -j DROP"
        )
    };
    inside::run(world, "many-worker2", &rules("-I")).unwrap();
    std::thread::sleep(PARTITION);
    inside::run(world, "many-worker2", &rules("-D")).unwrap();
    world.nodes_become_ready(&MANY, 90);
    the_pods_talk(world);
    let restarts = world.get(
        &["pod", "two"],
        "{.status.containerStatuses[0].restartCount}",
    );
    assert_eq!(restarts, "0");
}

/// The host's end of a link goes with whoever made it; a restart of the node makes it again.
pub(crate) fn a_node_without_its_link_comes_back(world: &World) {
    let worker = MANY.nodes[4];
    inside::run(world, worker, "ip link delete eth0").unwrap();
    eventually("the cluster notices", 90, || {
        let listed = world.kind.ask(&["get", "node", worker, "--no-headers"]);
        if listed.stdout.contains("NotReady") {
            Ok(())
        } else {
            Err(listed)
        }
    });
    inside::kill(world, &[worker]);
    world.start(&MANY);
    world.nodes_become_ready(&MANY, 60);
}
