//! From a question to the server block that it belongs to, and to its answer.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;

use super::asking::{Asking, Resolved};
use super::chain::{Chain, ClusterSnapshot};
use super::index::Index;
use super::message::Question;
use super::model::Pods;

/// All server blocks in force.
pub(crate) type Chains = Arc<Vec<Arc<Chain>>>;

/// Answers questions.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    chains: watch::Receiver<Chains>,
    indexes: watch::Receiver<Option<Arc<Index>>>,
    pods: watch::Receiver<Option<Arc<Pods>>>,
}

impl Resolver {
    /// Puts the parts together; each may change at any time.
    pub(crate) fn new(
        chains: watch::Receiver<Chains>,
        indexes: watch::Receiver<Option<Arc<Index>>>,
        pods: watch::Receiver<Option<Arc<Pods>>>,
    ) -> Self {
        Self {
            chains,
            indexes,
            pods,
        }
    }

    /// Answers a question that came in on the port of a server block. What is known here is answered without
    /// waiting for anything.
    pub(crate) async fn resolve_question(
        &self,
        port: u16,
        client: IpAddr,
        question: &Question,
    ) -> Resolved {
        let chains = self.chains.borrow().clone();
        let known = ClusterSnapshot {
            index: self.indexes.borrow().clone(),
            pods: self.pods.borrow().clone(),
        };
        let asking = Asking {
            chains: &chains,
            port,
            depth: 0,
            client,
            known: &known,
        };
        asking.resolve_question(question).await
    }
}
