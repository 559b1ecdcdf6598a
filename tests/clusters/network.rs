//! Network policies, and Services with addresses for the outside.

use std::net::IpAddr;

use kind_e2e::{Answer, eventually};

use crate::pages::{connect, from_host, from_pod};
use crate::world::World;

/// Only the pod `client` may ask the sample app, and only on its own port.
const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: sample
spec:
  podSelector:
    matchLabels:
      app: sample
  ingress:
  - from:
    - podSelector:
        matchLabels:
          client: allowed
    ports:
    - port: 8080
";

pub(crate) fn network_policies_are_enforced(world: &World) {
    let label = |label: &str| {
        world
            .kind
            .ask(&["label", "pod", "client", label])
            .expect("label")
    };
    let asked = || from_pod(world, "client", "sample.default.svc.cluster.local", 80);
    let becomes = |what: &str, allowed: bool| {
        eventually(what, 20, || match asked() {
            answer if answer.stdout.contains("Hello") == allowed => Ok(()),
            answer => Err(answer),
        });
    };
    becomes("without policies everyone may ask", true);
    world.kind.apply(POLICY);
    becomes("a pod that is not selected may not", false);
    let pods = [
        "wait",
        "--for=condition=Ready",
        "--timeout=10s",
        "pod",
        "-l",
        "app=sample",
    ];
    world.kind.ask(&pods).expect("the kubelet still may");
    label("client=allowed");
    becomes("one that is selected may", true);
    label("client-");
    becomes("and no longer without the label", false);
    let delete = ["delete", "networkpolicy", "sample"];
    world.kind.ask(&delete).expect("delete");
    becomes("nothing stays of a policy", true);
}

/// Two seconds, and as many again for a machine that does other things too.
const AT_ONCE: u64 = 4;

/// The address comes within two seconds, is reached from the host, keeps nothing else open, and goes.
pub(crate) fn a_load_balancer_is_reached_from_the_host(world: &World) {
    let service = |ports: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: balanced\nspec:\n  type: LoadBalancer\n  \
             selector:\n    app: sample\n  ports: [{ports}]\n"
        )
    };
    world
        .kind
        .apply(&service("{name: a, port: 80, targetPort: 8080}"));
    eventually("the address answers", AT_ONCE, || {
        from_host(address(world)?, 80)
            .map(drop)
            .map_err(|error| Answer {
                code: -1,
                stdout: String::new(),
                stderr: error.to_string(),
            })
    });
    let address = address(world).unwrap();
    assert!(connect(address, 10250).is_err(), "the kubelet's port");
    world
        .kind
        .apply(&service("{name: b, port: 81, targetPort: 8080}"));
    eventually("the Service's new port is open", 10, || {
        from_host(address, 81).map(drop)
    });
    eventually("its former one is not", 10, || {
        connect(address, 80).map_or(Ok(()), |_| Err("still open"))
    });
    let delete = ["delete", "service", "balanced"];
    world.kind.ask(&delete).expect("delete");
    eventually("nobody has the address", 10, || {
        connect(address, 81).map_or(Ok(()), |_| Err("still there"))
    });
}

/// The address of the Service; the API's answer if it has none yet.
fn address(world: &World) -> Result<IpAddr, Answer> {
    let path = "jsonpath={.status.loadBalancer.ingress[0].ip}";
    let answer = world.kind.ask(&["get", "service", "balanced", "-o", path]);
    answer.stdout.parse().map_err(|_| answer)
}
