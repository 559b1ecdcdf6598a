//! Images as tar streams: what `docker save`, `docker load` and `ctr images import` speak.

mod read;
mod write;

pub use read::read;
pub use write::write;
