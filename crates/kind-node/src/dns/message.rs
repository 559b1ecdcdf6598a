//! Questions and answers, whoever asks and answers them.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, Name, Record, RecordType};

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
