//! The network that nodes share. One that is there is used, or made anew where it is not as nodes need it
//! and nobody is on it; of several with its name, which docker
//! allows, one is kept.

pub(super) mod answer;
mod create;
mod duplicates;
mod ensure;
mod find;
#[cfg(target_os = "linux")]
mod routes;
mod scouts;
mod settings;

pub(super) use answer::{InspectedNetwork, Subnets};
pub(super) use ensure::ensure_network;
#[cfg(target_os = "linux")]
pub(super) use routes::find_foreign_route;
pub(super) use scouts::prune_scouts;

#[cfg(test)]
mod tests;
