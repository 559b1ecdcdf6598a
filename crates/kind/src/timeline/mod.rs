//! What ran when in which node, and who waited for whom: spans built from events alone, drawn as a chart, or written
//! as a trace that standard viewers open. Pure.

mod build;
mod chart;
mod rows;
mod span;
mod trace;

pub use chart::Chart;
pub use rows::Charset;
pub use span::{Span, Timeline};

#[cfg(test)]
mod tests;
