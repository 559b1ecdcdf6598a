//! `cargo xtask faults --rounds N`: a creation is killed at a moment that chance chooses, the cluster is deleted, and
//! nothing may be left of it.

mod killing;
mod moments;
mod play;
mod remains;

pub(super) use play::play_rounds;
