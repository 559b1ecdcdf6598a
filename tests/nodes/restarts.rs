//! Everything dies or is stopped, and starts again.

use std::time::{Duration, Instant};

use kind_e2e::eventually;

use crate::clusters::{BALANCER, FEW, MANY, Shape};
use crate::inside;
use crate::world::World;

pub(crate) fn a_killed_cluster_starts_again(world: &World) {
    inside::kill(world, FEW.nodes);
    it_is_as_before(world, &FEW);
}

/// Nobody has to start anything: the engine's restart policy does.
pub(crate) fn a_restarted_engine_brings_the_cluster_back(world: &World) {
    world.engine.restart().expect("the engine answers again");
    let running = ["ps", "--format", "{{.Names}}"];
    eventually("all nodes run", 60, || {
        let listed = world.engine.client(&running).expect("docker ps");
        let runs = |node: &&str| listed.lines().any(|line| line == *node);
        if MANY.nodes.iter().chain(&[BALANCER]).all(runs) {
            Ok(())
        } else {
            Err(listed)
        }
    });
    it_is_as_before(world, &MANY);
}

pub(crate) fn six_killed_nodes_start_again(world: &World) {
    inside::kill(world, &[MANY.nodes, &[BALANCER]].concat());
    it_is_as_before(world, &MANY);
}

pub(crate) fn a_stopped_cluster_starts_again(world: &World) {
    let arguments = ["stop", "cluster", "--name", MANY.name];
    world.kind.run(&arguments).expect("stop cluster");
    it_is_as_before(world, &MANY);
}

/// After the command that starts the cluster nothing is left to wait for.
fn it_is_as_before(world: &World, shape: &Shape) {
    let begin = Instant::now();
    world.start(shape);
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(180), "{took:?}");
    world.nodes_are_ready(shape).expect("all nodes are ready");
    let heartbeats = "{range .items[*]}{.metadata.name} \
        {.status.conditions[?(@.type==\"Ready\")].lastHeartbeatTime}{\"\\n\"}{end}";
    let script = "date --date=\"$(ps -o lstart= -p 1)\" +%s";
    for line in world.get(&["nodes"], heartbeats).lines() {
        let (node, heartbeat) = line.split_once(' ').unwrap();
        let booted = inside::run(world, node, script).unwrap();
        let heard = inside::run(world, node, &format!("date --date={heartbeat} +%s")).unwrap();
        let seconds = |text: String| text.trim().parse::<u64>().unwrap();
        assert!(
            seconds(heard) >= seconds(booted),
            "{node} was not heard of since"
        );
    }
    for node in shape.nodes {
        let address = world.get(&["node", node], "{.status.addresses[0].address}");
        let own = inside::run(world, node, "hostname -I").unwrap();
        assert!(
            own.split_whitespace().any(|own| own == address),
            "{node}: {address}, {own}"
        );
    }
    let name = format!("after-{}", begin.elapsed().as_nanos());
    world
        .kind
        .ask(&["create", "configmap", &name])
        .expect("create configmap");
}

pub(crate) fn three_nodes_are_deleted(world: &World) {
    world.delete(&FEW);
}
