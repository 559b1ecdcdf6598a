//! The plugins that a Corefile may name, one file each: what their directives may say, and what they do to a
//! question or an answer as far as that needs no sockets.

pub(crate) mod arguments;
pub(crate) mod autopath;
pub(crate) mod cache;
mod expression;
pub(crate) mod forward;
pub(crate) mod go_template;
pub(crate) mod hosts;
pub(crate) mod kubernetes;
pub(crate) mod log;
pub(crate) mod rewrite;
pub(crate) mod server;
pub(crate) mod template;
pub(crate) mod zones;
