//! What a node does before its init system runs: kind's entrypoint, without a shell. In: what the engine and the
//! kernel have made of the container, and the files that wait in `/kind/seed`. Out: a container in which systemd and
//! a kubelet run as on a machine, and systemd itself in the place of this program.
//!
//! Decisions are pure functions over texts of the kernel and of the image; [`sequence`] is the one
//! place that knows their order.

mod address;
mod cgroups;
mod docker_dns;
mod error;
mod hook;
mod identity;
mod iptables;
pub(crate) mod limits;
mod log;
mod mounts;
mod mtu;
mod names;
mod program;
mod proxy;
mod resolver;
pub(crate) mod seed;
mod sequence;
mod shared_image_store;
mod snapshotter;
pub(crate) mod sysctls;
mod text;
mod userns;

use error::Error;
pub(crate) use sequence::boot_node;
