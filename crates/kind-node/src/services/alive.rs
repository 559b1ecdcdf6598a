//! Which nodes answer, known long before the control plane gives a node up.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::cluster::Node;
use crate::kubernetes::store::Key;

/// The kubelet's port. That nothing listens there is an answer as well: the node's.
const PORT: u16 = 10250;
/// Nodes are on the same network, if not on the same machine.
const PROBE_TIMEOUT: Duration = Duration::from_millis(700);
/// One lost answer says nothing.
const MAX_FAILURES: u8 = 2;

/// How often in a row each node has not answered.
#[derive(Debug, Default)]
pub(super) struct Alive(BTreeMap<String, u8>);

impl Alive {
    /// Asks all nodes. Tells whether one of them counts as another than before.
    pub(super) async fn probe_nodes(&mut self, nodes: &BTreeMap<Key, Node>) -> bool {
        let answers = nodes
            .iter()
            .map(|(key, node)| async { (key.name.clone(), answers_probe(node).await) });
        let answers = join_all(answers).await;
        let before: Vec<bool> = nodes.keys().map(|key| self.is_alive(&key.name)).collect();
        self.0 = answers
            .into_iter()
            .filter(|(_, answered)| !answered)
            .map(|(name, _)| {
                let failures = self.0.get(&name).copied().unwrap_or(0);
                (name, failures.saturating_add(1))
            })
            .collect();
        let after: Vec<bool> = nodes.keys().map(|key| self.is_alive(&key.name)).collect();
        before != after
    }

    /// Tells whether a node answers, as far as it was asked.
    pub(super) fn is_alive(&self, node: &str) -> bool {
        self.0
            .get(node)
            .is_none_or(|failures| *failures < MAX_FAILURES)
    }
}

async fn answers_probe(node: &Node) -> bool {
    let Some(address) = node.addresses.first() else {
        return false;
    };
    let address = SocketAddr::new(*address, PORT);
    match timeout(PROBE_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Err(error)) => error.kind() == ErrorKind::ConnectionRefused,
        Ok(Ok(_)) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_is_dead_after_two_questions() {
        let node = |address: &str| Node {
            addresses: address.parse().into_iter().collect(),
            ready: true,
            excluded: false,
        };
        let key = |name: &str| Key {
            namespace: String::new(),
            name: name.into(),
        };
        // Whether or not something listens there, loopback answers.
        let nodes = BTreeMap::from([
            (key("here"), node("127.0.0.1")),
            (key("gone"), node("none")),
        ]);
        let mut alive = Alive::default();
        assert!(!alive.probe_nodes(&nodes).await);
        assert!(alive.is_alive("gone"));
        assert!(alive.probe_nodes(&nodes).await);
        assert!(!alive.is_alive("gone"));
        assert!(alive.is_alive("here") && alive.is_alive("never asked"));
    }
}
