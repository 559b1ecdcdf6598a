//! What nodes need of the Linux kernel: namespaces, mounts, cgroups, devices, terminals, signals, filters of system calls.
//!
//! The only crate with `unsafe`; each block says why it is sound.
#![cfg(target_os = "linux")]

pub mod cgroup;
pub mod device;
pub mod mount;
pub mod mountinfo;
pub mod namespace;
pub mod packet;
pub mod process;
pub mod seccomp;
pub mod terminal;
pub mod tree;
