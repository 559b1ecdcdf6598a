//! Where nodes run: what users choose, the programs that reach engines, and which of them answers.

mod choice;
mod client;
mod detection;
mod opening;

pub use choice::EngineChoice;
pub(crate) use client::{CLIENTS, Client, EngineParts, LIMA_CLIENT, engine_client};
pub(crate) use opening::{find_engine, open_engine};
