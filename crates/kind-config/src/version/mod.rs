//! Versions of Kubernetes, of engines and of kind itself.

mod error;
mod generic;
mod numbers;
mod semantic;

pub use error::Error;
pub use generic::Version;
pub use semantic::SemanticVersion;
