//! Puts the index and the forwarder together.

use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Record;
use tokio::sync::watch;

use super::answer::{self, Answer, Question, Reach};
use super::forward::Forwarder;
use super::index::Index;
use super::zone::Zone;

/// The newest index; nothing until all objects were listed once.
pub(crate) type Indexes = watch::Receiver<Option<Arc<Index>>>;

/// Answers questions.
#[derive(Debug)]
pub(crate) struct Resolver {
    zone: Zone,
    indexes: Indexes,
    forwarder: Forwarder,
}

/// An answer, or what it takes to get one.
#[derive(Debug)]
pub(crate) enum Progress {
    /// The answer.
    Done(Answer),
    /// Others must be asked; see [`Resolver::finish`].
    Pending(Pending),
}

/// A question to others, with the aliases that led to it.
#[derive(Debug)]
pub(crate) struct Pending {
    aliases: Vec<Record>,
    question: Question,
}

impl Resolver {
    /// Puts the parts together.
    pub(crate) fn new(zone: Zone, indexes: Indexes, forwarder: Forwarder) -> Self {
        Self {
            zone,
            indexes,
            forwarder,
        }
    }

    /// The way to names that are not ours.
    pub(crate) fn forwarder(&self) -> &Forwarder {
        &self.forwarder
    }

    /// Answers from what is known here, without waiting for anything.
    pub(crate) fn start(&self, question: &Question) -> Progress {
        let index = self.indexes.borrow().clone();
        let reach = match &index {
            Some(index) => answer::answer(&self.zone, index, question),
            None => answer::answer(&self.zone, &Index::default(), question),
        };
        match reach {
            // Before the first list nobody can tell what exists: no negative answer, and no alias.
            Reach::Whole(_) if index.is_none() => {
                Progress::Done(Answer::bare(ResponseCode::ServFail))
            }
            Reach::Whole(answer) => Progress::Done(answer),
            Reach::Outside { aliases, name } => {
                let question = Question {
                    name,
                    ..question.clone()
                };
                match self.forwarder.known(&question) {
                    Some(answer) => Progress::Done(answer.after(aliases)),
                    None => Progress::Pending(Pending { aliases, question }),
                }
            }
        }
    }

    /// Asks others.
    pub(crate) async fn finish(&self, pending: Pending) -> Answer {
        let answer = self.forwarder.ask(&pending.question).await;
        answer.after(pending.aliases)
    }
}
