//! Answers of upstream servers, kept for a while.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, Record};

use super::message::{Answer, Question};
use super::plugin::cache::{CacheSettings, Keeping};

/// Answers with more records are not worth their memory.
const MOST_RECORDS: usize = 64;

/// Bounded stores of answers, one of each kind.
#[derive(Debug)]
pub(crate) struct Cache {
    settings: CacheSettings,
    success: Store,
    denial: Store,
}

/// The kinds of answers that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// With records.
    Success,
    /// That a name or a type does not exist, or that a server failed.
    Denial,
}

impl Cache {
    /// An empty cache.
    pub(crate) fn new(settings: CacheSettings) -> Self {
        Self {
            success: Store::new(settings.success.capacity),
            denial: Store::new(settings.denial.capacity),
            settings,
        }
    }

    /// Tells whether answers to a question are looked up.
    pub(crate) fn covers(&self, question: &Question) -> bool {
        self.settings.covers(&question.name)
    }

    /// The zones in words, as metrics name them.
    pub(crate) fn zones_label(&self) -> String {
        self.settings.zones_label()
    }

    /// How many answers of a kind are there.
    pub(crate) fn entries(&self, kept: Kept) -> usize {
        match kept {
            Kept::Success => self.success.entries.len(),
            Kept::Denial => self.denial.entries.len(),
        }
    }

    /// Returns an answer that is still good, its times to live reduced by its age.
    pub(crate) fn get(&self, question: &Question, now: Instant) -> Option<(Kept, Answer)> {
        let success = self
            .success
            .get(question, now)
            .map(|entry| (Kept::Success, entry));
        let found = success.or_else(|| Some((Kept::Denial, self.denial.get(question, now)?)));
        found.map(|(kept, entry)| (kept, entry.answer_at(now, self.settings.keep_ttl)))
    }

    /// Keeps an answer as long as its records and the settings allow, which may be not at all.
    pub(crate) fn insert(&mut self, question: Question, answer: &Answer, now: Instant) {
        let Some((kept, lifetime)) = self.kept_for(answer) else {
            return;
        };
        let (store, keeping) = match kept {
            Kept::Success => (&mut self.success, &self.settings.success),
            Kept::Denial => (&mut self.denial, &self.settings.denial),
        };
        let small = answer.records().count() <= MOST_RECORDS;
        if lifetime.is_zero() || !small || !keeping.keeps(&question.name) {
            return;
        }
        let mut answer = answer.clone();
        set_times(&mut answer, lifetime);
        store.insert(question, answer, now, lifetime);
    }

    /// Gives all records of an answer the time for which it may be kept, so that no client keeps it longer, nor
    /// asks again sooner, than those who are answered from here.
    pub(crate) fn bound(&self, answer: &mut Answer) {
        if let Some((_, lifetime)) = self.kept_for(answer) {
            set_times(answer, lifetime);
        }
    }

    /// Of which kind an answer is, and for how long it is kept. One that is cut may be whole the next time.
    fn kept_for(&self, answer: &Answer) -> Option<(Kept, Duration)> {
        if answer.truncated {
            return None;
        }
        if matches!(answer.code, ResponseCode::ServFail | ResponseCode::NotImp) {
            return Some((Kept::Denial, self.settings.servfail));
        }
        let (kept, lifetime) = answer_lifetime(answer)?;
        let keeping = match kept {
            Kept::Success => &self.settings.success,
            Kept::Denial => &self.settings.denial,
        };
        Some((kept, bound_lifetime(lifetime, keeping)))
    }
}

/// Sets the times to live of all records.
fn set_times(answer: &mut Answer, lifetime: Duration) {
    let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
    answer.records_mut().for_each(|record| record.ttl = seconds);
}

/// The time for which an answer is kept that is good for that long.
fn bound_lifetime(lifetime: Duration, keeping: &Keeping) -> Duration {
    lifetime.max(keeping.shortest).min(keeping.longest)
}

/// Answers of one kind; the oldest make room.
#[derive(Debug)]
struct Store {
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

impl Entry {
    /// The answer as it is given at that time.
    fn answer_at(&self, now: Instant, keep_ttl: bool) -> Answer {
        let age = now.saturating_duration_since(self.stored).as_secs();
        let age = if keep_ttl {
            0
        } else {
            u32::try_from(age).unwrap_or(u32::MAX)
        };
        let mut answer = self.answer.clone();
        for record in answer.records_mut() {
            record.ttl = record.ttl.saturating_sub(age);
        }
        answer
    }
}

impl Store {
    fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            capacity,
            insertions: 0,
        }
    }

    fn get(&self, question: &Question, now: Instant) -> Option<&Entry> {
        let entry = self.entries.get(question);
        entry.filter(|entry| now < entry.expires)
    }

    fn insert(&mut self, question: Question, answer: Answer, now: Instant, lifetime: Duration) {
        self.insertions += 1;
        self.order.push_back((self.insertions, question.clone()));
        let entry = Entry {
            answer,
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

/// Returns of which kind an answer is and how long it is good, if it may be kept. A negative one is good as long
/// as its SOA record says (RFC 2308), and not at all without one.
fn answer_lifetime(answer: &Answer) -> Option<(Kept, Duration)> {
    let negative = answer.authorities.iter().find_map(negative_ttl);
    let kept = match answer.code {
        ResponseCode::NoError if !answer.answers.is_empty() => Kept::Success,
        ResponseCode::NoError | ResponseCode::NXDomain if negative.is_some() => Kept::Denial,
        _ => return None,
    };
    let seconds = answer.records().map(|record| record.ttl).chain(negative);
    Some((kept, Duration::from_secs(seconds.min()?.into())))
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

    use super::super::configuration::tests::block;
    use super::*;

    /// A cache as a Corefile describes it.
    fn cache(directive: &str) -> Cache {
        Cache::new(block(directive).cache.unwrap())
    }

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
            ..Answer::without_records(code)
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
            (answer(no_error, vec![address(9)], vec![soa(7, 8)]), 7),
            (answer(ResponseCode::ServFail, vec![], vec![soa(3, 5)]), 0),
        ] {
            let seconds = answer_lifetime(&answer).map_or(0, |(_, lifetime)| lifetime.as_secs());
            assert_eq!(seconds, expected, "{answer:?}");
        }
    }

    #[test]
    fn answer_ages_and_ends() {
        let mut cache = cache("cache 30");
        let start = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        cache.insert(question("Example.com."), &kept, start);
        let later = cache.get(&question("example.COM."), start + Duration::from_secs(4));
        assert_eq!(later.unwrap().1.answers[0].ttl, 6);
        let end = start + Duration::from_secs(10);
        assert!(cache.get(&question("example.com."), end).is_none());
    }

    #[test]
    fn all_records_have_the_time_for_which_the_answer_is_kept() {
        let no_error = ResponseCode::NoError;
        for (directive, ttl, expected) in [
            ("cache 30", 86400, 30),
            ("cache 30", 10, 10),
            ("cache 30", 0, 0),
            ("cache {\n success 10 300 60\n}", 10, 60),
            ("cache {\n success 10 300 60\n}", 400, 300),
            ("cache 30 {\n disable success\n}", 86400, 30),
            ("cache 30 {\n keepttl\n}", 86400, 30),
        ] {
            let mut told = answer(no_error, vec![address(ttl), address(99_999)], vec![]);
            told.additionals.push(address(99_999));
            let mut cache = cache(directive);
            let now = Instant::now();
            cache.insert(question("a."), &told, now);
            cache.bound(&mut told);
            let times: Vec<u32> = told.records().map(|record| record.ttl).collect();
            assert_eq!(times, [expected; 3], "{directive} {ttl}");
            let kept = cache.get(&question("a."), now);
            assert!(
                kept.is_none_or(|(_, kept)| kept == told),
                "{directive} {ttl}"
            );
        }
        // Nothing is known of how long a refusal is good.
        let mut refusal = answer(ResponseCode::Refused, vec![], vec![soa(99, 99)]);
        cache("cache 30").bound(&mut refusal);
        assert_eq!(refusal.authorities[0].ttl, 99);
    }

    #[test]
    fn failure_is_kept_only_if_a_corefile_says_so() {
        let now = Instant::now();
        let failure = Answer::without_records(ResponseCode::ServFail);
        for (directive, seconds) in [
            ("cache", 0),
            ("cache {\n servfail 0\n}", 0),
            ("cache {\n servfail 5s\n}", 5),
            ("cache 2 {\n servfail 5s\n}", 5),
        ] {
            let mut cache = cache(directive);
            cache.insert(question("a."), &failure, now);
            for (age, expected) in [(0, seconds > 0), (4, seconds > 4), (5, false)] {
                let found = cache.get(&question("a."), now + Duration::from_secs(age));
                assert_eq!(found.is_some(), expected, "{directive} after {age} s");
            }
        }
    }

    #[test]
    fn times_of_any_length_are_taken() {
        let mut cache = cache("cache {\n success 10 18446744073709551615 18446744073709551615\n}");
        let now = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        cache.insert(question("a."), &kept, now);
        let found = cache.get(&question("a."), now).unwrap();
        assert_eq!(found.1.answers[0].ttl, u32::MAX);
    }

    #[test]
    fn long_answer_is_not_kept_longer_than_allowed() {
        let mut cache = cache("cache 30");
        let start = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(86400)], vec![]);
        cache.insert(question("a."), &kept, start);
        assert!(
            cache
                .get(&question("a."), start + Duration::from_secs(30))
                .is_none()
        );
    }

    #[test]
    fn oldest_makes_room() {
        let mut cache = cache("cache {\n success 2\n}");
        let now = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        for name in ["a.", "b.", "a.", "c."] {
            cache.insert(question(name), &kept, now);
        }
        assert!(cache.get(&question("a."), now).is_some());
        assert!(cache.get(&question("b."), now).is_none());
        assert!(cache.get(&question("c."), now).is_some());
        assert_eq!(cache.entries(Kept::Success), 2);
    }

    #[test]
    fn question_with_other_flags_is_another_question() {
        let mut cache = cache("cache {\n success 2\n}");
        let now = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        cache.insert(question("a."), &kept, now);
        let signed = Question {
            dnssec_ok: true,
            ..question("a.")
        };
        assert!(cache.get(&signed, now).is_none());
    }

    #[test]
    fn what_a_corefile_says_counts() {
        let now = Instant::now();
        let kept = answer(ResponseCode::NoError, vec![address(10)], vec![]);
        let missing = answer(ResponseCode::NXDomain, vec![], vec![soa(10, 10)]);
        let mut cache = cache(
            "cache 300 {\n disable success a\n denial 9984 5\n success 9984 300 60\n keepttl\n}",
        );
        for name in ["x.a.", "b."] {
            cache.insert(question(name), &kept, now);
        }
        cache.insert(question("c."), &missing, now);
        assert!(cache.get(&question("x.a."), now).is_none());
        let later = cache
            .get(&question("b."), now + Duration::from_secs(30))
            .unwrap();
        assert_eq!((later.0, later.1.answers[0].ttl), (Kept::Success, 60));
        assert_eq!(cache.get(&question("c."), now).unwrap().0, Kept::Denial);
        assert!(
            cache
                .get(&question("c."), now + Duration::from_secs(5))
                .is_none()
        );
    }
}
