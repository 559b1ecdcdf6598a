//! The network that all clusters of an engine are on, made by many at once.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Barrier;

use kind_engine::command_line::{CommandLine, Flavor};
use kind_engine::{Engine as _, Network, NetworkSpec};

use crate::world::World;

/// As many as make it at once, and how often they do.
const KINDS: usize = 10;
const ROUNDS: usize = 3;

/// Every one of them gets the same network, and nothing else is left.
pub(crate) fn ten_at_once_make_one_network(world: &World) {
    let before = networks(world);
    let program = world.engine.wrapper(world.directory.path());
    for round in 0..ROUNDS {
        let name = format!("race{round}");
        let barrier = Barrier::new(KINDS);
        let made: Vec<_> = std::thread::scope(|scope| {
            let make = || {
                barrier.wait();
                ensure(world, &program, &name)
            };
            let kinds: Vec<_> = (0..KINDS).map(|_| scope.spawn(make)).collect();
            kinds.into_iter().map(|kind| kind.join().unwrap()).collect()
        });
        for network in &made {
            assert_eq!(network.subnets, made[0].subnets);
            assert_eq!(network.subnets.len(), 2, "IPv4 and IPv6");
            assert!(network.lasting_addresses);
        }
        let all = networks(world);
        let new: Vec<_> = all.iter().filter(|name| !before.contains(name)).collect();
        assert_eq!(new, [&name]);
        let removed = world.engine.client(&["network", "rm", &name]);
        removed.expect("network rm");
    }
}

/// Docker's own program refuses a name that is taken; its API does not, if it is not asked to, and two
/// that ask at once may both get one.
pub(crate) fn of_two_networks_of_a_name_one_is_kept(world: &World) {
    const NAME: &str = "twins";
    for _ in 0..2 {
        let body = format!("{{\"Name\":\"{NAME}\",\"CheckDuplicate\":false}}");
        let mut stream = UnixStream::connect("/run/docker.sock").unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /v1.40/networks/create HTTP/1.0\r\nHost: docker\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 201 "), "{answer}");
    }
    let twins = || networks(world).iter().filter(|name| *name == NAME).count();
    assert_eq!(twins(), 2);
    ensure(world, &world.engine.wrapper(world.directory.path()), NAME);
    assert_eq!(twins(), 1);
    world
        .engine
        .client(&["network", "rm", NAME])
        .expect("network rm");
}

/// What every creation does before it makes nodes.
fn ensure(world: &World, program: &Path, name: &str) -> Network {
    let flavor = match world.engine.name() {
        "docker" => Flavor::Docker,
        _ => Flavor::Podman,
    };
    let engine = CommandLine::new(flavor, program.to_string_lossy());
    let name = name.to_owned();
    let spec = NetworkSpec { name };
    engine.ensure_network(&spec).unwrap()
}

fn networks(world: &World) -> Vec<String> {
    let list = ["network", "ls", "--format", "{{.Name}}"];
    let listed = world.engine.client(&list).expect("network ls");
    listed.lines().map(str::to_owned).collect()
}
