//! What is in the way of a node that starts. In come the logs of static pods and the journals of their units; out
//! come [`Check`](kind_diagnosis::Check)s for the request that waits. Nothing is changed.

mod last_error;
mod memory;
mod pods;
mod unit_ends;
mod units;
mod watch;

pub(crate) use watch::Watch;
