//! Loading images into nodes.
//!
//! Every node is asked once what its containerd has ([`inventory`]); what it lacks of each image is worked
//! out from that ([`verdict`]), and only that is sent ([`import`]), to all nodes at once; what fails leaves no name
//! behind ([`names`]). Images come from
//! archives ([`archives`]) or from the engine's own store ([`stored`]), whose images are archives too on
//! their way.

mod archives;
mod contents;
mod counted;
mod import;
mod inventory;
mod job;
mod loaded;
mod names;
mod nodes;
mod options;
mod run;
mod stored;
#[cfg(test)]
mod tests;
mod transfer;
mod verdict;

pub use loaded::{LoadOutcome, LoadedImage};
pub use options::LoadImages;
