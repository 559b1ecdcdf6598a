//! The fields of every type. Type names are those of kind's own messages.

mod cluster;
mod fields;
mod node;
mod registries;
