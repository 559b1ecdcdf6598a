//! From a question to an answer, as far as the cluster's objects reach.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, Record, RecordType};

use super::message::{Answer, Question};
use super::plugin::kubernetes::Kubernetes;
use super::zone::{self, Cluster, Lookup};

/// How many names a chain of aliases may have, so that two that name each other end.
const ALIASES: usize = 8;

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
