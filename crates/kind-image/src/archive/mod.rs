//! Images as tar streams: what `docker save`, `docker load` and `ctr images import` speak.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::read;
pub use write::write;
