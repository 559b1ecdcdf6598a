//! From a question to an answer, as far as the cluster's objects reach.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, Name, Record, RecordType};

use super::plugin::kubernetes::Kubernetes;
use super::zone::{self, Cluster, Lookup};

/// How many names a chain of aliases may have, so that two that name each other end.
const ALIASES: usize = 8;

/// One question with what decides about its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// The name, spelled as the client did.
    pub(crate) name: Name,
    /// The record type.
    pub(crate) kind: RecordType,
    /// The class; only `IN` has answers.
    pub(crate) class: DNSClass,
    /// The client wants signatures.
    pub(crate) dnssec_ok: bool,
    /// The client does the validation itself.
    pub(crate) checking_disabled: bool,
}

/// What is said in return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How it went.
    pub(crate) code: ResponseCode,
    /// The first name of the answer is ours.
    pub(crate) authoritative: bool,
    /// An upstream server has validated the answer.
    pub(crate) authentic: bool,
    /// An upstream server has more records, which could not be had.
    pub(crate) truncated: bool,
    /// Records that answer.
    pub(crate) answers: Vec<Record>,
    /// For a negative answer, the SOA record.
    pub(crate) authorities: Vec<Record>,
    /// Records the client may want next.
    pub(crate) additionals: Vec<Record>,
}

/// What logs and metrics tell of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// How it went.
    pub(crate) code: ResponseCode,
    /// The first name of the answer is ours.
    pub(crate) authoritative: bool,
    /// An upstream server has validated the answer.
    pub(crate) authentic: bool,
    /// No records answer.
    pub(crate) empty: bool,
}

impl Answer {
    /// What logs and metrics tell of it.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            code: self.code,
            authoritative: self.authoritative,
            authentic: self.authentic,
            empty: self.answers.is_empty(),
        }
    }

    /// An answer without records.
    pub(crate) fn without_records(code: ResponseCode) -> Self {
        Self {
            code,
            authoritative: false,
            authentic: false,
            truncated: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
        }
    }

    /// All its records.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        let records = self.answers.iter().chain(&self.authorities);
        records.chain(&self.additionals)
    }

    /// All its records, to change them.
    pub(crate) fn records_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        let records = self.answers.iter_mut().chain(&mut self.authorities);
        records.chain(&mut self.additionals)
    }

    /// Puts the aliases that led to a name outside in front of that name's own answer.
    pub(crate) fn after(self, mut aliases: Vec<Record>) -> Self {
        if aliases.is_empty() {
            return self;
        }
        aliases.extend(self.answers);
        Self {
            authoritative: true,
            authentic: false,
            answers: aliases,
            ..self
        }
    }

    /// Begins equal records at another place each time, so that clients which take the first
    /// address spread over all.
    pub(crate) fn rotated(mut self, by: usize) -> Self {
        let is_address = |record: &Record| record.record_type().is_ip_addr();
        let first = self.answers.iter().position(is_address);
        if let Some(addresses) = first.and_then(|first| self.answers.get_mut(first..)) {
            let by = by % addresses.len().max(1);
            addresses.rotate_left(by);
        }
        self
    }
}

/// How far the cluster's objects reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To the end.
    Whole(Answer),
    /// To a name for which somebody else must be asked.
    Outside {
        /// Records on the way.
        aliases: Vec<Record>,
        name: Name,
    },
}

/// Answers a question from the cluster's objects.
pub(crate) fn answer_question(
    kubernetes: &Kubernetes,
    cluster: Cluster<'_>,
    question: &Question,
) -> Reach {
    let mut aliases = Vec::new();
    let mut name = question.name.clone();
    for _ in 0..ALIASES {
        let found = zone::look_up_name(kubernetes, cluster, &name, question.kind);
        let missing = found == Lookup::Missing;
        match found {
            Lookup::Missing if kubernetes.fallthrough.passes(&name) => {
                return Reach::Outside { aliases, name };
            }
            Lookup::Outside => return Reach::Outside { aliases, name },
            Lookup::Unknown => break,
            Lookup::Alias(target) => {
                aliases.push(zone::alias_record(&name, target.clone(), kubernetes.ttl));
                if matches!(question.kind, RecordType::CNAME | RecordType::ANY) {
                    return Reach::Whole(ours(aliases, Vec::new()));
                }
                name = target;
            }
            Lookup::Found {
                answers,
                additionals,
            } => {
                aliases.extend(answers);
                return Reach::Whole(ours(aliases, additionals));
            }
            Lookup::Missing | Lookup::Empty => {
                let mut answer = ours(aliases, Vec::new());
                answer
                    .authorities
                    .extend(zone::soa_record(kubernetes, cluster, &name));
                if missing {
                    answer.code = ResponseCode::NXDomain;
                }
                return Reach::Whole(answer);
            }
        }
    }
    Reach::Whole(Answer::without_records(ResponseCode::ServFail))
}

/// An answer from our own zone.
fn ours(answers: Vec<Record>, additionals: Vec<Record>) -> Answer {
    Answer {
        authoritative: true,
        answers,
        additionals,
        ..Answer::without_records(ResponseCode::NoError)
    }
}
