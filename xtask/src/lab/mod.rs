//! `cargo xtask lab`: the end-to-end suites where this machine cannot run them: in a guest with the unified cgroup
//! hierarchy, current engines and an ordinary user.
//!
//! The guest is made, started and reached by a script, `../shared/lab/lab` beside the checkout unless `--lab` or the
//! variable `KIND_LAB` names another, with the commands `up`, `sh [-u] COMMAND` and `down`. What is in the directory
//! `share` of its own directory (variable `LAB`) is at `/mnt/lab` in the guest.

mod command;
mod guest;
mod results;
mod ways;

pub(crate) use command::run;
