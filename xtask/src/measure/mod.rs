//! `cargo xtask measure`: numbers about the code, a line each, and on request the places behind one of them.
//!
//! Measured is the product: libraries, programs and build scripts of the workspace's packages, but for what
//! is compiled for tests only and for packages that serve the tests of others. Circles are looked for in the
//! crates of tests, too. Macros are seen as they are written, not as they expand.

mod bool_matches;
mod check;
mod circles;
mod command;
mod documentation;
mod functions;
mod imports;
mod module_files;
mod report;
mod source;
#[cfg(test)]
mod testing;
mod tuple_parameters;
mod walls;
mod workspace;

pub(crate) use check::check_structure;
pub(crate) use command::measure_workspace;
