//! What a running operation reports.

mod millis;
mod phase;
mod record;
mod recording;
mod reported;
mod step;
mod time;
mod verbosity;
mod warning;

pub use kind_node::request::{KubeadmPhase, StepId};

pub(crate) use millis::whole_millis;
pub use phase::{Outcome, Phase};
pub use record::{About, EventRecord, StepRecord};
pub use recording::{RecordedEvent, Recording};
pub use reported::{Event, Listener};
pub use step::{Detail, StepEnded, StepStarted, Waiting};
pub use time::timestamp;
pub use verbosity::Verbosity;
pub use warning::Warning;
