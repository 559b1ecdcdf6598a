//! Every kind of answer that is read from engines' programs, for whoever tries what they may print.

use super::{Flavor, images, info, listing, network};
use crate::Error;

/// What an engine is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What it says of itself.
    Info,
    /// A network.
    Network,
    /// Images.
    Images,
    /// Containers.
    Containers,
}

impl Question {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Info, Self::Network, Self::Images, Self::Containers];
}

/// Reads an answer as nodes need it, and returns what was understood in words.
///
/// # Errors
/// If it is not what engines say, or says that nobody answers.
pub fn read_answer(flavor: Flavor, question: Question, text: &str) -> Result<String, Error> {
    Ok(match question {
        Question::Info => format!("{:?}", info::parse_info(flavor, text)?),
        Question::Network => format!("{:?}", network::answer::read(flavor, "kind", text)?),
        Question::Images => format!("{:?}", images::parse_images(flavor, "kind", text)?),
        Question::Containers => format!("{:?}", listing::parse_nodes(flavor, text)?),
    })
}
