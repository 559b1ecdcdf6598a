//! From a question to the server block that it belongs to, and to its answer.

use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, Name};
use tokio::sync::watch;

use super::answer::{Answer, Question};
use super::chain::{Chain, Known};
use super::index::Index;
use super::model::Pods;

/// How often an answer may lead to a further question, so that names that lead to each other end.
const DEEPEST: usize = 4;

/// All server blocks in force.
pub(crate) type Chains = Arc<Vec<Arc<Chain>>>;

/// Answers questions.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    chains: watch::Receiver<Chains>,
    indexes: watch::Receiver<Option<Arc<Index>>>,
    pods: watch::Receiver<Option<Arc<Pods>>>,
}

/// An answer with where it comes from.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The answer.
    pub(crate) answer: Answer,
    /// The plugin that gave it; empty for none.
    pub(crate) plugin: &'static str,
    /// The server block, and the place of the zone among its keys.
    pub(crate) chain: Option<(Arc<Chain>, usize)>,
}

/// What stays the same while a question is answered.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    chains: &'a [Arc<Chain>],
    port: u16,
    depth: usize,
    /// Who asks.
    pub(crate) client: IpAddr,
    /// What is known of the cluster.
    pub(crate) known: &'a Known,
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
    pub(crate) async fn resolve(&self, port: u16, client: IpAddr, question: &Question) -> Resolved {
        let chains = self.chains.borrow().clone();
        let known = Known {
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
        asking.resolve(question).await
    }
}

impl Asking<'_> {
    async fn resolve(&self, question: &Question) -> Resolved {
        let Some((chain, place)) = self.chain(&question.name) else {
            return Resolved {
                answer: Answer::bare(ResponseCode::Refused),
                plugin: "",
                chain: None,
            };
        };
        let (answer, plugin) = chain.serve(self, question).await;
        Resolved {
            answer,
            plugin,
            chain: Some((chain.clone(), place)),
        }
    }

    /// The server block with the longest zone that a name is in.
    fn chain(&self, name: &Name) -> Option<(&Arc<Chain>, usize)> {
        let fitting = self.chains.iter().filter_map(|chain| {
            let (place, labels) = chain.matching(self.port, name)?;
            Some((labels, chain, place))
        });
        let best = fitting.max_by_key(|(labels, ..)| *labels);
        best.map(|(_, chain, place)| (chain, place))
    }

    /// Answers a question that an answer led to.
    pub(crate) async fn resolve_further(&self, question: &Question) -> Answer {
        if self.depth == DEEPEST || question.class != DNSClass::IN {
            return Answer::bare(ResponseCode::ServFail);
        }
        let asking = Asking {
            depth: self.depth + 1,
            ..*self
        };
        // In a box: how deep this goes is not known before.
        Box::pin(asking.resolve(question)).await.answer
    }
}
