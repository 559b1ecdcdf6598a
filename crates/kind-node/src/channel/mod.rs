//! The answering side of [`kind_node::request`]: takes one request on stdin, puts its files in place, runs its steps
//! and tells what happens on stdout. In: that request. Out: files, running programs, and one event a line.

mod attend;
mod capture;
mod frame;
mod programs;
mod report;
mod steps;
mod watch;

pub(crate) use frame::serve_request;
