//! Services of type LoadBalancer in a cluster of two nodes.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::IpAddr;

use kind_e2e::eventually;

use crate::families::{node_addresses, of_both_families};
use crate::inside;
use crate::names::NODES;
use crate::pages::{GREETING, connect, from_host};
use crate::workloads::SAMPLE;
use crate::world::World;

/// By this label kubeadm keeps control planes out of load balancing.
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: balanced}
spec:
  type: LoadBalancer
  ipFamilyPolicy: RequireDualStack
  selector: {part: server}
  ports: [{port: 80, targetPort: 8080}]
";

/// A Service has an address of each family. When the node that announces them dies, another one does,
/// and they stay the same.
pub(crate) fn a_service_keeps_its_addresses_when_its_node_dies(world: &World) {
    let label = |label: &str| {
        let label = ["label", "--overwrite", "node", NODES[0], label];
        world.kind.ask(&label).expect("label");
    };
    // kubeadm does so itself since 1.21.
    label(&format!("{EXCLUDED}="));
    world.kind.apply(SERVICE);
    eventually("a worker announces the Service", 10, || {
        match announcer(world) {
            node if node == NODES[1] => Ok(()),
            other => Err(other),
        }
    });
    let given = addresses(world);
    answer(&given);
    label(&format!("{EXCLUDED}-"));
    inside::power_off(world, NODES[1]);
    eventually("the other node announces it", 30, || {
        match announcer(world) {
            node if node == NODES[0] => Ok(()),
            other => Err(other),
        }
    });
    answer(&given);
    assert_eq!(addresses(world), given);
}

/// A pod on each node says who it is and who asks; the Service keeps its clients' addresses.
fn telling() -> String {
    let pod = |node: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: telling-{node}\n  labels: {{app: telling}}\nspec:\n  \
             nodeName: {node}\n  terminationGracePeriodSeconds: 0\n  containers:\n  - name: main\n    \
             image: {SAMPLE}\n    imagePullPolicy: Never\n    command: [/bin/sh, -c, '{TELL}']\n---\n"
        )
    };
    let pods: String = NODES.iter().map(|node| pod(node)).collect();
    format!(
        "{pods}apiVersion: v1\nkind: Service\nmetadata:\n  name: telling\nspec:\n  type: LoadBalancer\n  \
         externalTrafficPolicy: Local\n  selector: {{app: telling}}\n  ports: [{{port: 80, targetPort: 8080}}]\n"
    )
}

/// Serves its pod's name and the asker's address.
const TELL: &str = "mkdir -p /www/cgi-bin; \
     printf \"#!/bin/sh\\necho; echo Hello from pod \\$(hostname) to \\$REMOTE_ADDR\\n\" >/www/cgi-bin/tell; \
     /bin/busybox chmod +x /www/cgi-bin/tell; exec httpd -f -p 8080 -h /www";

/// Connections from outside go to the pods of all nodes, and those see who asks.
pub(crate) fn nodes_with_its_pods_share_a_service(world: &World) {
    world.kind.apply(&telling());
    let label = ["label", "node", NODES[0], &format!("{EXCLUDED}-")];
    world
        .kind
        .ask(&label)
        .expect("let the control plane take part");
    let path = "jsonpath={.status.loadBalancer.ingress[0].ip}";
    let get = ["get", "service", "telling", "-o", path];
    let all: BTreeSet<String> = NODES.iter().map(|node| format!("telling-{node}")).collect();
    eventually("pods of both nodes answer", 60, || {
        let address = world.kind.ask(&get).stdout;
        let address: IpAddr = address.parse().map_err(|_| address)?;
        let pages: Result<Vec<String>, _> = (0..30).map(|_| tell(address)).collect();
        let pages = pages.map_err(|error| format!("{address}: {error}"))?;
        let words = |page: &String| {
            let words: Vec<String> = page.split_whitespace().map(str::to_owned).collect();
            let from = words.iter().position(|word| word == "pod");
            from.map(|at| (words[at + 1].clone(), words[at + 3].clone()))
        };
        let told: BTreeSet<(String, String)> = pages.iter().filter_map(words).collect();
        let pods: BTreeSet<String> = told.iter().map(|(pod, _)| pod.clone()).collect();
        let askers: BTreeSet<String> = told.into_iter().map(|(_, asker)| asker).collect();
        let nodes = NODES.map(|node| node_addresses(world, node)).concat();
        let is_node = |asker: &String| {
            let asker = asker.trim_matches(['[', ']']);
            let asker = asker.trim_start_matches("::ffff:").parse();
            asker.is_ok_and(|asker: IpAddr| nodes.contains(&asker))
        };
        if pods == all && askers.len() == 1 && !askers.iter().any(is_node) {
            Ok(())
        } else {
            Err(format!("{pods:?} {askers:?}"))
        }
    });
    for what in [["service", "telling"], ["pod", "-lapp=telling"]] {
        let delete = [&["delete"], &what[..]].concat();
        world.kind.ask(&delete).expect("delete");
    }
}

/// What a pod behind an address tells.
fn tell(address: IpAddr) -> std::io::Result<String> {
    let mut stream = connect(address, 80)?;
    stream.write_all(b"GET /cgi-bin/tell HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// The page of the pod on the control plane comes from each of the addresses.
fn answer(given: &[IpAddr; 2]) {
    let expected = format!("{GREETING}{}", NODES[0]);
    for address in given {
        // Half of the tries go to a pod of the other node, dead or alive.
        eventually("the Service answers", 30, || {
            match from_host(*address, 80) {
                Ok(page) if page.contains(&expected) => Ok(()),
                answer => Err((address, answer)),
            }
        });
    }
}

fn addresses(world: &World) -> [IpAddr; 2] {
    let path = "{.status.loadBalancer.ingress[*].ip}";
    of_both_families(world, &["service", "balanced"], path)
}

fn announcer(world: &World) -> String {
    let path = r"jsonpath={.metadata.annotations.kind\.x-k8s\.io/announced-by}";
    let asked = world.kind.ask(&["get", "service", "balanced", "-o", path]);
    asked.stdout
}
