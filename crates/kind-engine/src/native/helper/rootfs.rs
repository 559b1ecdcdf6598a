//! A node's root filesystem, mounted in a mount namespace that only the node (or a helper) has.
//!
//! Everything of the host that the node is to see is taken hold of first; then the overlay becomes the
//! root, and the rest is attached by paths of the new root. So a link in the image, whatever it points
//! to, cannot lead a mount out of the node.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kind_sys::cgroup::{Hierarchies, Kind};
use kind_sys::device::{self, Device};
use kind_sys::mount::{self, DetachedMount, MountPropagationFlags};
use kind_sys::mountinfo;
use rustix::mount::MountFlags;

use crate::native::hosts;
use crate::native::record::NodeRecord;
use crate::native::state::State;
use crate::{Code, Error, Propagation, Purpose};

/// A path of the host on its way into the node.
struct BindMount {
    tree: DetachedMount,
    target: PathBuf,
    directory: bool,
    read_only: bool,
    propagation: Propagation,
}

/// Makes the node's files the root of the calling process: the overlay and `/var`, nothing of the
/// running system. The process must be in a mount namespace of its own.
pub(super) fn enter_files(state: &State, node: &NodeRecord) -> Result<(), Error> {
    let binds = var_mounts(state, node)?;
    enter_overlay(state, node)?;
    binds.into_iter().try_for_each(attach_bind_mount)
}

/// Makes everything that a booting node sees the root of the calling process, which must have all the
/// node's namespaces. `console` is the terminal that becomes `/dev/console`.
pub(super) fn enter_rootfs(state: &State, node: &NodeRecord, console: &Path) -> Result<(), Error> {
    let hierarchies = Hierarchies::of_host().map_err(Error::io("read the mount table"))?;
    let devices = match node.purpose {
        Purpose::LoadBalancer => Vec::new(),
        Purpose::Kubernetes => device::of_host().map_err(Error::io("list the host's devices"))?,
    };
    let mut binds = var_mounts(state, node)?;
    binds.extend(host_file_mounts(state, node)?);
    binds.extend(user_mounts(node)?);
    let console = DetachedMount::copy(console).map_err(Error::io("take hold of the console"))?;

    enter_overlay(state, node)?;
    let mounted = mount_system(&devices).and_then(|()| match node.purpose {
        Purpose::LoadBalancer => Ok(()),
        Purpose::Kubernetes => mount_cgroups(&hierarchies),
    });
    mounted.map_err(Error::io("mount the node's system directories"))?;
    let terminal = Path::new("/dev/console");
    fs::File::create(terminal)
        .and_then(|_| console.attach_at(terminal))
        .map_err(Error::io("attach the node's console"))?;
    binds.into_iter().try_for_each(attach_bind_mount)
}

fn enter_overlay(state: &State, node: &NodeRecord) -> Result<(), Error> {
    let directory = state.node(&node.name);
    let root = directory.file("root");
    let mounted = mount::make_all_private().and_then(|()| {
        mount::overlay(
            &node.layers,
            &directory.file("upper"),
            &directory.file("work"),
            &root,
        )
    });
    mounted.map_err(Error::io(format!("mount the root of node {}", node.name)))?;
    mount::pivot(&root).map_err(Error::io(format!("enter the root of node {}", node.name)))
}

/// The node's own `/var`, if it has one, and in it the directories of the image that all its nodes share.
fn var_mounts(state: &State, node: &NodeRecord) -> Result<Vec<BindMount>, Error> {
    let own = state.node(&node.name).file("var");
    if !own.exists() {
        return Ok(Vec::new());
    }
    let mut binds = vec![open_bind_mount(&own, Path::new("/var"))?];
    for (source, below) in &node.shared {
        let mut shared = open_bind_mount(source, &Path::new("/var").join(below))?;
        shared.read_only = true;
        binds.push(shared);
    }
    Ok(binds)
}

/// Names, resolver, kernel modules and our own program.
fn host_file_mounts(state: &State, node: &NodeRecord) -> Result<Vec<BindMount>, Error> {
    let directory = state.node(&node.name);
    let mut binds = vec![
        open_bind_mount(&hosts::hosts_path(&directory), Path::new("/etc/hosts"))?,
        open_bind_mount(&directory.file("hostname"), Path::new("/etc/hostname"))?,
        open_bind_mount(
            &directory.file("resolv.conf"),
            Path::new("/etc/resolv.conf"),
        )?,
    ];
    let modules = Path::new("/lib/modules");
    let read_only = modules
        .is_dir()
        .then_some((modules, modules))
        .into_iter()
        .chain(
            node.node_agent
                .as_deref()
                .map(|program| (program, Path::new("/kind/bin/kind-node"))),
        );
    for (source, target) in read_only {
        let mut bind = open_bind_mount(source, target)?;
        bind.read_only = true;
        binds.push(bind);
    }
    Ok(binds)
}

/// The mounts the user asked for.
fn user_mounts(node: &NodeRecord) -> Result<Vec<BindMount>, Error> {
    let table = mountinfo::read().map_err(Error::io("read the mount table"))?;
    let mut binds = Vec::new();
    for wanted in &node.host.mounts {
        let mut bind = open_bind_mount(&wanted.host, &wanted.container)?;
        bind.read_only = wanted.read_only;
        bind.propagation = wanted.propagation;
        let holder = fs::canonicalize(&wanted.host).ok();
        let holder = holder.and_then(|path| mountinfo::holding(&table, &path).cloned());
        if bind.propagation != Propagation::None && !holder.is_some_and(|mount| mount.shared) {
            return Err(not_shared(&wanted.host));
        }
        binds.push(bind);
    }
    Ok(binds)
}

/// A mount's propagation in the kernel's words.
fn propagation_flag(propagation: Propagation) -> MountPropagationFlags {
    match propagation {
        Propagation::None => MountPropagationFlags::PRIVATE,
        Propagation::HostToContainer => MountPropagationFlags::DOWNSTREAM,
        Propagation::Bidirectional => MountPropagationFlags::SHARED,
    }
}

fn not_shared(path: &Path) -> Error {
    Error::other(
        Code::MountNotShared,
        format!(
            "{} is not on a shared mount, so later mounts cannot reach the node",
            path.display()
        ),
        format!(
            "run `mount --make-shared` on the mount that holds {}, or leave out propagation",
            path.display()
        ),
    )
}

fn open_bind_mount(source: &Path, target: &Path) -> Result<BindMount, Error> {
    let tree = DetachedMount::copy(source)
        .map_err(Error::io(format!("take hold of {}", source.display())))?;
    Ok(BindMount {
        tree,
        target: target.to_owned(),
        directory: source.is_dir(),
        read_only: false,
        propagation: Propagation::None,
    })
}

fn attach_bind_mount(bind: BindMount) -> Result<(), Error> {
    let target = bind.target;
    let attach = || -> io::Result<()> {
        make_target(&target, bind.directory)?;
        bind.tree.attach_at(&target)?;
        mount::set_propagation(&target, propagation_flag(bind.propagation))?;
        if bind.read_only {
            mount::read_only(&target)
        } else {
            Ok(())
        }
    };
    attach().map_err(Error::io(format!("show {} in the node", target.display())))
}

fn make_target(target: &Path, directory: bool) -> io::Result<()> {
    if directory {
        return fs::create_dir_all(target);
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::metadata(target) {
        Ok(_) => Ok(()),
        Err(_) => {
            // A link to nowhere, such as an image's /etc/resolv.conf, would be followed on creation.
            let _ = fs::remove_file(target);
            fs::File::create(target).map(drop)
        }
    }
}

/// What the kernel shows of itself, devices, and memory filesystems.
fn mount_system(devices: &[Device]) -> io::Result<()> {
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount_filesystem("proc", "/proc", quiet, "")?;
    mount_filesystem("sysfs", "/sys", quiet, "")?;
    mount_filesystem("tmpfs", "/dev", MountFlags::NOSUID, "mode=755,size=64m")?;
    device::make_standard(Path::new("/dev"))?;
    for host in devices {
        device::make(Path::new("/dev"), host)?;
    }
    let terminals = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount_filesystem(
        "devpts",
        "/dev/pts",
        terminals,
        "newinstance,ptmxmode=0666,mode=0620,gid=5",
    )?;
    mount_filesystem("tmpfs", "/dev/shm", quiet, "mode=1777,size=64m")?;
    mount_filesystem("mqueue", "/dev/mqueue", quiet, "")?;
    mount_filesystem(
        "tmpfs",
        "/run",
        MountFlags::NOSUID | MountFlags::NODEV,
        "mode=755",
    )?;
    mount_filesystem(
        "tmpfs",
        "/tmp",
        MountFlags::NOSUID | MountFlags::NODEV,
        "mode=1777",
    )
}

/// The node's cgroups: the unified hierarchy if the host has nothing else, or version 1's. On a hybrid
/// host the node has version 1 alone, as engines do it.
fn mount_cgroups(hierarchies: &Hierarchies) -> io::Result<()> {
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let root = Path::new("/sys/fs/cgroup");
    if hierarchies.unified() {
        return mount_filesystem("cgroup2", "/sys/fs/cgroup", quiet, "");
    }
    mount_filesystem("tmpfs", "/sys/fs/cgroup", quiet, "mode=755")?;
    for hierarchy in &hierarchies.all {
        let (Kind::V1(controllers), Some(name)) = (&hierarchy.kind, hierarchy.mount.file_name())
        else {
            continue;
        };
        let named = controllers.iter().any(|name| name.starts_with("name="));
        let options = if named {
            format!("none,{}", controllers.join(","))
        } else {
            controllers.join(",")
        };
        let target = root.join(name);
        fs::create_dir_all(&target)?;
        mount::filesystem("cgroup", &target, quiet, &options)?;
        link_controllers(root, name, controllers)?;
    }
    Ok(())
}

/// `cpu` and `cpuacct` beside a hierarchy that is mounted at `cpu,cpuacct`.
fn link_controllers(root: &Path, name: &std::ffi::OsStr, controllers: &[String]) -> io::Result<()> {
    for controller in controllers {
        let link = root.join(controller);
        if !controller.contains('=') && controller.as_str() != name && !link.exists() {
            std::os::unix::fs::symlink(name, link)?;
        }
    }
    Ok(())
}

fn mount_filesystem(kind: &str, target: &str, flags: MountFlags, options: &str) -> io::Result<()> {
    fs::create_dir_all(target)?;
    mount::filesystem(kind, Path::new(target), flags, options)
        .map_err(|error| io::Error::new(error.kind(), format!("{kind} at {target}: {error}")))
}
