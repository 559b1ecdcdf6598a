//! What codes of failures and causes mean: one table, from which the command and the documentation tell it.

mod builds;
mod clusters;
mod engines;
mod entry;
mod explanation;
mod find;
mod images;
mod nodes;

pub use explanation::Explanation;
pub use find::{explain, explanations};
