//! A question on its way through a server block: its plugins one after the other, in CoreDNS's order. What one of
//! them answers may lead to a further question, which begins anew.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, Name, RData};

use super::answer::{self, Reach};
use super::cache::{Cache, Kept};
use super::chain::{Chain, ClusterSnapshot};
use super::index::Index;
use super::message::{Answer, Question};
use super::metrics::CacheMetrics;
use super::plugin::rewrite;
use super::upstream;
use super::zone::{self, Cluster};
use crate::mutex::lock_mutex;

/// How often an answer may lead to a further question, so that names that lead to each other end.
const DEEPEST: usize = 4;

/// An answer, and the plugin that gave it.
pub(crate) type Given = (Answer, &'static str);

/// An answer with where it comes from.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) answer: Answer,
    /// The plugin that gave it; empty for none.
    pub(crate) plugin: &'static str,
    /// The server block, and the place of the zone among its keys.
    pub(crate) chain: Option<(Arc<Chain>, usize)>,
}

/// What stays the same while a question is answered.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(super) chains: &'a [Arc<Chain>],
    pub(super) port: u16,
    pub(super) depth: usize,
    /// Who asks.
    pub(crate) client: IpAddr,
    /// What is known of the cluster.
    pub(crate) known: &'a ClusterSnapshot,
}

impl Asking<'_> {
    /// Answers a question by the server block that it belongs to.
    pub(super) async fn resolve_question(&self, question: &Question) -> Resolved {
        let Some((chain, place)) = self.find_chain(&question.name) else {
            return Resolved {
                answer: Answer::without_records(ResponseCode::Refused),
                plugin: "",
                chain: None,
            };
        };
        let (answer, plugin) = chain.answer_question(self, question).await;
        Resolved {
            answer,
            plugin,
            chain: Some((chain.clone(), place)),
        }
    }

    /// The server block with the longest zone that a name is in.
    fn find_chain(&self, name: &Name) -> Option<(&Arc<Chain>, usize)> {
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
            return Answer::without_records(ResponseCode::ServFail);
        }
        let asking = Asking {
            depth: self.depth + 1,
            ..*self
        };
        // In a box: how deep this goes is not known before.
        Box::pin(asking.resolve_question(question)).await.answer
    }
}
impl Chain {
    async fn answer_question(&self, asking: &Asking<'_>, question: &Question) -> Given {
        let mut rewritten = question.clone();
        let Ok(changes) = rewrite::rewrite_question(&self.block.rewrite, &mut rewritten) else {
            return (Answer::without_records(ResponseCode::ServFail), "rewrite");
        };
        let (mut answer, plugin) = self.walk_search_path(asking, &rewritten).await;
        rewrite::change_answer(&mut answer, &changes);
        if self.block.loadbalance {
            // Not in turn: a client that always asks two things would meet the same address each time.
            answer = answer.rotated(upstream::random_id().into());
        }
        (answer, plugin)
    }

    /// Answers for the first name of the client's search path that exists, if `autopath` wants that.
    async fn walk_search_path(&self, asking: &Asking<'_>, question: &Question) -> Given {
        let Some(names) = self.search_path(asking, question) else {
            return self.bounded_answer(asking, question).await;
        };
        let mut first = None;
        for name in names {
            let asked = Question {
                name,
                ..question.clone()
            };
            let (mut answer, plugin) = self.bounded_answer(asking, &asked).await;
            if answer.code == ResponseCode::NoError {
                lead_to(&mut answer, question, &asked);
                self.metrics.autopath_succeeded();
                return (answer, plugin);
            }
            first.get_or_insert((answer, plugin));
        }
        first.unwrap_or((Answer::without_records(ResponseCode::ServFail), "autopath"))
    }

    fn search_path(&self, asking: &Asking<'_>, question: &Question) -> Option<Vec<Name>> {
        let autopath = self.block.autopath.as_ref()?;
        let pods = asking.known.pods.as_ref();
        let namespaces = pods.and_then(|pods| pods.get(&asking.client));
        let namespace = namespaces.and_then(|all| all.first()).map(AsRef::as_ref);
        let domain = self.block.kubernetes.as_ref().and_then(|one| one.domain());
        autopath.names(&question.name, domain, namespace)
    }

    /// Asks the plugins that have answers; all of them are behind the cache, which bounds times to live.
    async fn bounded_answer(&self, asking: &Asking<'_>, question: &Question) -> Given {
        let (mut answer, plugin) = self.ask_plugins(asking, question).await;
        // What was kept is bounded already, and has aged since.
        if let Some((cache, _)) = self.cache_for(question).filter(|_| plugin != "cache") {
            lock_mutex(cache).bound(&mut answer);
        }
        (answer, plugin)
    }

    /// The cache, if it is there for a question.
    fn cache_for(&self, question: &Question) -> Option<&(Mutex<Cache>, Arc<CacheMetrics>)> {
        let cache = self.cache.as_ref();
        cache.filter(|(cache, _)| lock_mutex(cache).covers(question))
    }

    async fn ask_plugins(&self, asking: &Asking<'_>, question: &Question) -> Given {
        for template in &self.block.templates {
            if let Some(answer) = template.answer_question(question, asking.client) {
                return (complete_answer(answer, asking, question).await, "template");
            }
        }
        if question.class != DNSClass::IN {
            return (Answer::without_records(ResponseCode::Refused), "");
        }
        let hosts = self.block.hosts.as_ref();
        if let Some(answer) = hosts.and_then(|hosts| hosts.answer_question(question)) {
            return (answer, "hosts");
        }
        if let Some(answer) = self.ask_kubernetes(asking, question).await {
            return (answer, "kubernetes");
        }
        self.ask_others(question).await
    }

    /// Asks the cluster's objects; passes on names that are not theirs.
    async fn ask_kubernetes(&self, asking: &Asking<'_>, question: &Question) -> Option<Answer> {
        let kubernetes = self.block.kubernetes.as_ref()?;
        let nothing = Index::default();
        let index = asking.known.index.as_deref();
        let cluster = Cluster {
            index: index.unwrap_or(&nothing),
            pods: asking.known.pods.as_deref(),
        };
        match answer::answer_question(kubernetes, cluster, question) {
            Reach::Outside { aliases, .. } if aliases.is_empty() => None,
            // Before the first list nobody can tell what exists: no negative answer, and no alias.
            _ if index.is_none() => Some(Answer::without_records(ResponseCode::ServFail)),
            Reach::Whole(answer) => Some(answer),
            Reach::Outside { aliases, name } => {
                let target = Question {
                    name,
                    ..question.clone()
                };
                Some(asking.resolve_further(&target).await.after(aliases))
            }
        }
    }

    /// Asks upstream servers, or the cache of their answers.
    async fn ask_others(&self, question: &Question) -> Given {
        let mut covering = self
            .forwarders
            .iter()
            .filter(|one| one.covers(&question.name));
        let Some(forwarder) = covering.next() else {
            let code = self.refusal_code();
            return (Answer::without_records(code), "");
        };
        let cache = self.cache_for(question);
        if let Some((cache, counters)) = cache {
            let found = lock_mutex(cache).get(question, Instant::now());
            counters.looked_up(found.as_ref().map(|(kept, _)| *kept));
            if let Some((_, answer)) = found {
                return (answer, "cache");
            }
        }
        let answered = forwarder.ask_upstreams(question).await;
        if let (Some((cache, counters)), Some(answer)) = (cache, &answered) {
            let mut cache = lock_mutex(cache);
            cache.insert(question.clone(), answer, Instant::now());
            counters.set_entries(cache.entries(Kept::Success), cache.entries(Kept::Denial));
        }
        let answer = answered.unwrap_or(Answer::without_records(ResponseCode::ServFail));
        let told = self.block.plugins.contains("errors");
        if answer.code == ResponseCode::ServFail && told {
            tracing::warn!(name = %question.name, kind = %question.kind, "no upstream server answers");
        }
        (answer, "forward")
    }

    /// What is said where no plugin has an answer: a block without any such plugin serves nothing.
    fn refusal_code(&self) -> ResponseCode {
        let block = &self.block;
        let serves = block.kubernetes.is_some() || block.hosts.is_some();
        if serves || !block.templates.is_empty() || !self.forwarders.is_empty() {
            ResponseCode::ServFail
        } else {
            ResponseCode::Refused
        }
    }
}

/// Adds the alias that leads from the name that was asked for to the one that exists.
fn lead_to(answer: &mut Answer, question: &Question, found: &Question) {
    let Some(ttl) = answer.answers.first().map(|first| first.ttl) else {
        return;
    };
    if question.name != found.name {
        let alias = zone::alias_record(&question.name, found.name.clone(), ttl);
        answer.answers.insert(0, alias);
    }
}

/// Adds the addresses of an alias that a template made.
async fn complete_answer(mut answer: Answer, asking: &Asking<'_>, question: &Question) -> Answer {
    let target = match answer.answers.last().map(|record| &record.data) {
        Some(RData::CNAME(target)) if question.kind.is_ip_addr() => target.0.clone(),
        _ => return answer,
    };
    let mut name = target;
    name.set_fqdn(true);
    let target = Question {
        name,
        ..question.clone()
    };
    let further = asking.resolve_further(&target).await;
    answer.answers.extend(further.answers);
    answer
}
