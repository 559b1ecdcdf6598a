//! Network policies, and Services with addresses for the outside.

use std::net::IpAddr;

use kind_e2e::{Answer, eventually};

use crate::pages::{connect, from_host, from_pod};
use crate::workloads::SAMPLE;
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

/// A Service has its finalizer as long as it has an address from here, whether its type changes or it goes.
pub(crate) fn a_service_goes_when_its_address_is_taken_back(world: &World) {
    let ask = |arguments: &[&str]| world.kind.ask(arguments);
    let held = |wanted: bool| {
        let what = "{.metadata.finalizers[*]} {.status.loadBalancer.ingress[0].ip}";
        let get = ["get", "service", "held", "-o", &format!("jsonpath={what}")];
        eventually("finalizer and address agree", 10, || match ask(&get) {
            answer if answer.code != 0 => Err(answer),
            answer => {
                let (finalizers, address) = answer.stdout.split_once(' ').unwrap_or_default();
                let is_held = finalizers.contains("service.kubernetes.io/load-balancer-cleanup");
                if is_held == wanted && address.is_empty() != wanted {
                    Ok(())
                } else {
                    Err(answer)
                }
            }
        });
    };
    let change = |kind: &str| {
        let patch = format!("{{\"spec\": {{\"type\": \"{kind}\"}}}}");
        ask(&["patch", "service", "held", "-p", &patch]).expect("change the type");
    };
    ask(&["create", "service", "loadbalancer", "held", "--tcp=80"]).expect("create");
    held(true);
    change("ClusterIP");
    held(false);
    change("LoadBalancer");
    held(true);
    ask(&["delete", "service", "held", "--timeout=20s"]).expect("the Service goes");
}

/// Nothing that is for the Services' range leaves a node without a Service that takes it.
pub(crate) fn addresses_that_no_service_has_are_refused(world: &World) {
    let address = {
        let create = ["create", "service", "clusterip", "passing", "--tcp=80"];
        world.kind.ask(&create).expect("create");
        let path = "jsonpath={.spec.clusterIP}";
        let answer = world.kind.ask(&["get", "service", "passing", "-o", path]);
        answer.expect("the Service's address")
    };
    let refused = || {
        let connect = format!("nc -w 2 {address} 80 </dev/null 2>&1");
        eventually("the address refuses", 20, || {
            match world.kind.shell("client", &connect) {
                answer if answer.stdout.contains("refused") => Ok(()),
                answer => Err(answer),
            }
        });
    };
    refused();
    world
        .kind
        .ask(&["delete", "service", "passing"])
        .expect("delete");
    refused();
}

/// The host's own settings of links do not count in nodes.
pub(crate) fn the_nodes_network_is_set_whatever_the_host_has(world: &World) {
    world.kind.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: looking\nspec:\n  hostNetwork: true\n  \
         terminationGracePeriodSeconds: 0\n  containers:\n  - name: main\n    image: {SAMPLE}\n    \
         imagePullPolicy: Never\n    command: [sleep, '100000']\n"
    ));
    let wait = [
        "wait",
        "--for=condition=Ready",
        "--timeout=60s",
        "pod",
        "looking",
    ];
    world.kind.ask(&wait).expect("the pod runs");
    for (link, arp_ignore) in [("all", "0"), ("default", "0"), ("eth0", "1")] {
        let settings = ["arp_ignore", "arp_announce", "rp_filter", "proxy_arp"];
        let read = format!(
            "cd /proc/sys/net/ipv4/conf/{link} && cat {}",
            settings.join(" ")
        );
        let read = world.kind.shell("looking", &read).expect("read settings");
        let found: Vec<&str> = read.split_whitespace().collect();
        assert_eq!(found, [arp_ignore, "2", "0", "0"], "{link}");
    }
    let delete = ["delete", "pod", "looking"];
    world.kind.ask(&delete).expect("delete the pod");
}
