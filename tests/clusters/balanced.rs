//! Services of type LoadBalancer in a cluster of two nodes.

use std::net::IpAddr;

use kind_e2e::eventually;

use crate::families::of_both_families;
use crate::inside;
use crate::pages::{GREETING, from_host};
use crate::several::NODES;
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
