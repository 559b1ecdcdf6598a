//! The network that nodes share. One that is there is used as it is; of several with its name, which docker
//! allows, one is kept.

pub(super) mod answer;
mod create;
mod duplicates;
mod ensure;
mod find;

pub(super) use answer::{InspectedNetwork, Subnets};
pub(super) use ensure::ensure_network;

#[cfg(test)]
mod tests;
