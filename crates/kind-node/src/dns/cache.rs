//! Answers of upstream servers, kept for a while.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, Record};

use super::answer::{Answer, Question};

/// Longest time that anything is kept; what kubeadm gives CoreDNS.
const LONGEST: Duration = Duration::from_secs(30);

/// Answers with more records are not worth their memory.
const MOST_RECORDS: usize = 64;

/// A bounded store of answers; the oldest make room.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: HashMap<Question, Entry>,
    /// Every insertion in order; more than one for a question that was stored again.
    order: VecDeque<(u64, Question)>,
    capacity: usize,
    insertions: u64,
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    stored: Instant,
    expires: Instant,
    insertion: u64,
}

impl Cache {
    /// An empty cache for that many answers.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            capacity,
            insertions: 0,
        }
    }

    /// Returns an answer that is still good, its times to live reduced by its age.
    pub(crate) fn get(&self, question: &Question, now: Instant) -> Option<Answer> {
        let entry = self
            .entries
            .get(question)
            .filter(|entry| now < entry.expires)?;
        let age = now.saturating_duration_since(entry.stored).as_secs();
        let age = u32::try_from(age).unwrap_or(u32::MAX);
        let mut answer = entry.answer.clone();
        for records in [
            &mut answer.answers,
            &mut answer.authorities,
            &mut answer.additionals,
        ] {
            for record in records {
                record.ttl = record.ttl.saturating_sub(age);
            }
        }
        Some(answer)
    }

    /// Keeps an answer as long as its records allow, which may be not at all.
    pub(crate) fn insert(&mut self, question: Question, answer: &Answer, now: Instant) {
        let records = answer.answers.len() + answer.authorities.len() + answer.additionals.len();
        let lifetime = lifetime(answer).min(LONGEST);
        if lifetime.is_zero() || records > MOST_RECORDS {
            return;
        }
        self.insertions += 1;
        self.order.push_back((self.insertions, question.clone()));
        let entry = Entry {
            answer: answer.clone(),
            stored: now,
            expires: now + lifetime,
            insertion: self.insertions,
        };
        self.entries.insert(question, entry);
        self.make_room();
    }

    /// Drops the oldest until everything fits.
    fn make_room(&mut self) {
        while self.order.len() > self.capacity {
            let Some((insertion, question)) = self.order.pop_front() else {
                return;
            };
            let current = self.entries.get(&question);
            if current.is_some_and(|entry| entry.insertion == insertion) {
                self.entries.remove(&question);
            }
        }
    }
}

/// Returns how long an answer is good. A negative one is good as long as its SOA record says
/// (RFC 2308), and not at all without one.
fn lifetime(answer: &Answer) -> Duration {
    let positive = answer.answers.iter().map(|record| record.ttl).min();
    let negative = answer.authorities.iter().find_map(negative_ttl);
    let seconds = match (answer.code, positive) {
        (ResponseCode::NoError, Some(ttl)) => negative.map_or(ttl, |other| other.min(ttl)),
        (ResponseCode::NXDomain, Some(ttl)) => negative.map_or(0, |other| other.min(ttl)),
        (ResponseCode::NoError | ResponseCode::NXDomain, None) => negative.unwrap_or(0),
        _ => 0,
    };
    Duration::from_secs(seconds.into())
}

/// Returns the seconds for which an SOA record lets a negative answer be kept.
fn negative_ttl(record: &Record) -> Option<u32> {
    match &record.data {
        RData::SOA(soa) => Some(soa.minimum.min(record.ttl)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_proto::rr::rdata::{A, SOA};
    use hickory_proto::rr::{DNSClass, Name, RecordType};

    use super::*;

    fn question(name: &str) -> Question {
        Question {
            name: Name::from_ascii(name).unwrap(),
            kind: RecordType::A,
            class: DNSClass::IN,
            dnssec_ok: false,
            checking_disabled: false,
        }
    }

    fn address(ttl: u32) -> Record {
        let data = RData::A(A(Ipv4Addr::new(192, 0, 2, 1)));
        Record::from_rdata(Name::root(), ttl, data)
    }

    fn soa(ttl: u32, minimum: u32) -> Record {
        let soa = SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, minimum);
        Record::from_rdata(Name::root(), ttl, RData::SOA(soa))
    }

    fn answer(code: ResponseCode, answers: Vec<Record>, authorities: Vec<Record>) -> Answer {
        Answer {
            answers,
            authorities,
            ..Answer::bare(code)
        }
    }

    #[test]
    fn lifetime_of_every_kind_of_answer() {
        let no_error = ResponseCode::NoError;
        let missing = ResponseCode::NXDomain;
        for (answer, expected) in [
            (answer(no_error, vec![address(9), address(4)], vec![]), 4),
            (answer(no_error, vec![address(0)], vec![]), 0),
            (answer(no_error, vec![], vec![soa(20, 5)]), 5),
            (answer(no_error, vec![], vec![]), 0),
            (answer(missing, vec![], vec![soa(3, 5)]), 3),
            (answer(missing, vec![], vec![]), 0),
            (answer(missing, vec![address(2)], vec![soa(3, 5)]), 2),
            (answer(ResponseCode::ServFail, vec![], vec![soa(3, 5)]), 0),
        ] {
            assert_eq!(lifetime(&answer).as_secs(), expected, "{answer:?}");
        }
    }

    #[test]
    fn answer_ages_and_ends() {
        let mut cache = Cache::new(8);
        let start = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        cache.insert(question("Example.com."), &kept, start);
        let later = cache.get(&question("example.COM."), start + Duration::from_secs(4));
        assert_eq!(later.unwrap().answers[0].ttl, 6);
        let end = start + Duration::from_secs(10);
        assert!(cache.get(&question("example.com."), end).is_none());
    }

    #[test]
    fn long_answer_is_not_kept_longer_than_allowed() {
        let mut cache = Cache::new(8);
        let start = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(86400)], vec![]);
        cache.insert(question("a."), &kept, start);
        assert!(cache.get(&question("a."), start + LONGEST).is_none());
    }

    #[test]
    fn oldest_makes_room() {
        let mut cache = Cache::new(2);
        let now = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        for name in ["a.", "b.", "a.", "c."] {
            cache.insert(question(name), &kept, now);
        }
        assert!(cache.get(&question("a."), now).is_some());
        assert!(cache.get(&question("b."), now).is_none());
        assert!(cache.get(&question("c."), now).is_some());
        assert_eq!(cache.entries.len(), 2);
    }

    #[test]
    fn question_with_other_flags_is_another_question() {
        let mut cache = Cache::new(2);
        let now = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        cache.insert(question("a."), &kept, now);
        let signed = Question {
            dnssec_ok: true,
            ..question("a.")
        };
        assert!(cache.get(&signed, now).is_none());
    }
}
