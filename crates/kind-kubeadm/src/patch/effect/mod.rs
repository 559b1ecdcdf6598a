//! Patches that change nothing, or that Kubernetes' version makes harmful. All of them are taken, as the original
//! takes them.

mod arguments;
mod candidate;
mod etcd;
mod fields;
mod gates;
mod labels;
mod leaving;
mod level;
mod replaced;
mod rules;
mod static_pods;
mod table;
#[cfg(test)]
mod tests;
mod warning;

pub(crate) use arguments::named_arguments;
pub use warning::{PatchWarning, patch_warnings};
