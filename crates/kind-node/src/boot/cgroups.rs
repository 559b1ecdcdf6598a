//! Control groups: what the kubelet expects of the hierarchies it finds.
//!
//! On cgroup v2 everything is left to the kubelet's unit, because processes may still be in the
//! root group before the init system has moved them. On v1 the kubelet's groups are made in every
//! hierarchy. They are not also bound onto themselves: where `cpu` and `cpuacct` are two
//! hierarchies, the kubelet would then look for its group below itself.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use kind_sys::mount::{self, MountPropagationFlags};
use kind_sys::mountinfo::{self, Mount};
use rustix::mount::{UnmountFlags, unmount};

use super::error::during_step;
use super::{Error, log, text};

const ROOT: &str = "/sys/fs/cgroup";
const GROUPS: [&str; 2] = ["kubelet", "kubelet.slice"];

/// Prepares the hierarchies for the init system.
pub(super) fn fix_cgroups() -> Result<(), Error> {
    if is_unified() {
        log::info("detected cgroup v2");
        return Ok(());
    }
    log::info("detected cgroup v1");
    let own =
        fs::read_to_string("/proc/self/cgroup").map_err(during_step("read /proc/self/cgroup"))?;
    let own = own_path(&own);
    if own != Path::new("/") {
        log::warn(
            "cgroupns not enabled! Please use cgroup v2, or cgroup v1 with cgroupns enabled.",
        );
        restore_own_paths(&own)?;
    }
    remove_misc()?;
    match mount::set_propagation(Path::new(ROOT), MountPropagationFlags::PRIVATE) {
        // Not a mount point where the engine shows the host's hierarchies as plain directories.
        Err(error) if error.kind() == ErrorKind::InvalidInput => {}
        result => result.map_err(during_step("make the cgroup mounts private"))?,
    }
    make_groups()
}

/// Makes the kubelet's groups before it starts: the step before the kubelet in its unit.
pub(super) fn prepare_kubelet() -> Result<(), Error> {
    if is_unified() {
        delegate_controllers(Path::new(ROOT))
    } else {
        make_groups()
    }
}

/// The controllers of the root group, on cgroup v2.
pub(super) fn cgroup_controllers() -> Option<String> {
    fs::read_to_string(Path::new(ROOT).join("cgroup.controllers")).ok()
}

/// Tells whether there is the one hierarchy of cgroup v2 and no other.
pub(super) fn is_unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// Makes the kubelet's groups in every v1 hierarchy.
fn make_groups() -> Result<(), Error> {
    let mounts = mountinfo::read().map_err(during_step("read the mount table"))?;
    let hierarchies: Vec<&Mount> = v1_hierarchies(&mounts).collect();
    for hierarchy in &hierarchies {
        let cpuset = hierarchy.options.iter().any(|option| option == "cpuset");
        make_groups_in(&hierarchy.target, cpuset).map_err(during_step(format!(
            "make groups in {}",
            hierarchy.target.display()
        )))?;
    }
    let systemd = |mount: &&Mount| mount.options.iter().any(|option| option == "name=systemd");
    if !hierarchies.iter().any(systemd) {
        // The kubelet looks for it there all the same. Where the directory cannot be made, an
        // init system will mount its own.
        let directory = Path::new(ROOT).join("systemd");
        if let Err(error) = make_groups_in(&directory, false) {
            log::warn(format!("make groups in {}: {error}", directory.display()));
        }
    }
    Ok(())
}

fn make_groups_in(directory: &Path, cpuset: bool) -> io::Result<()> {
    for group in GROUPS {
        let group = directory.join(group);
        fs::create_dir_all(&group)?;
        if cpuset {
            // No process can enter a cpuset group that has no processors or no memory.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let inherited = fs::read_to_string(directory.join(file))?;
                fs::write(group.join(file), inherited.trim())?;
            }
        }
    }
    Ok(())
}

/// Hands every controller down to the kubelet's groups.
fn delegate_controllers(root: &Path) -> Result<(), Error> {
    let read = |name: &str| {
        let path = root.join(name);
        fs::read_to_string(&path).map_err(during_step(format!("read {}", path.display())))
    };
    let members = read("cgroup.procs")?;
    let processes = parse_processes(&members);
    if !processes.is_empty() {
        return Err(Error::RootCgroupBusy(processes.join(", ")));
    }
    let enable = enable_all(&read("cgroup.controllers")?);
    for group in ["", GROUPS[0], GROUPS[1]] {
        let control = root.join(group).join("cgroup.subtree_control");
        fs::create_dir_all(root.join(group))
            .and_then(|()| fs::write(&control, &enable))
            .map_err(during_step(format!("write {}", control.display())))?;
    }
    Ok(())
}

/// The processes of a group; `0` is one that this namespace does not see.
fn parse_processes(text: &str) -> Vec<&str> {
    text.lines().filter(|line| *line != "0").collect()
}

/// The text that hands all controllers down.
fn enable_all(controllers: &str) -> String {
    let words: Vec<String> = controllers
        .split_whitespace()
        .map(|name| format!("+{name}"))
        .collect();
    words.join(" ")
}

/// The node's own group in the hierarchy of `cpu`, from `/proc/self/cgroup`.
fn own_path(text: &str) -> PathBuf {
    let path = text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        let has_cpu = controllers.split(',').any(|name| name == "cpu");
        has_cpu.then(|| fields.next()).flatten()
    });
    PathBuf::from(path.unwrap_or("/"))
}

/// The v1 hierarchies that are mounted.
fn v1_hierarchies(mounts: &[Mount]) -> impl Iterator<Item = &Mount> {
    mounts
        .iter()
        .filter(|mount| mount.filesystem == "cgroup" && mount.target.starts_with(ROOT))
}

/// Removes the `misc` controller, which runc of old images does not know.
fn remove_misc() -> Result<(), Error> {
    let known = Path::new("/proc/cgroups");
    let text = fs::read_to_string(known).map_err(during_step("read /proc/cgroups"))?;
    let Some(edited) = without_misc(&text) else {
        return Ok(());
    };
    remove_hierarchy(&Path::new(ROOT).join("misc"))
        .map_err(during_step("remove the misc controller"))?;
    let fake = Path::new("/kind/fake-cgroups");
    text::write_text(fake, &edited)
        .and_then(|()| mount::bind(fake, known))
        .map_err(during_step("hide the misc controller"))
}

/// The table of controllers without `misc`, if that is in it.
fn without_misc(table: &str) -> Option<String> {
    let is_misc = |line: &str| line.split_whitespace().next() == Some("misc");
    table.lines().any(is_misc).then(|| {
        let others = table.lines().filter(|line| !is_misc(line));
        others.map(|line| format!("{line}\n")).collect()
    })
}

/// Unmounts a hierarchy and removes its directory; either may be missing.
fn remove_hierarchy(directory: &Path) -> io::Result<()> {
    match unmount(directory, UnmountFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    match fs::remove_dir(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Without a cgroup namespace, shows every hierarchy also at the path that the kernel names, and
/// removes those the node has no part in.
fn restore_own_paths(own: &Path) -> Result<(), Error> {
    let mounts = mountinfo::read().map_err(during_step("read the mount table"))?;
    for hierarchy in v1_hierarchies(&mounts) {
        let target = &hierarchy.target;
        let failed = |verb: &str| during_step(format!("{verb} {}", target.display()));
        if !hierarchy.root.ends_with(strip_root(own)) {
            remove_hierarchy(target).map_err(failed("remove"))?;
            continue;
        }
        let again = target.join(strip_root(&hierarchy.root));
        fs::create_dir_all(&again)
            .and_then(|()| mount::bind(target, &again))
            .map_err(failed("bind again"))?;
    }
    Ok(())
}

fn strip_root(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_that_of_cpu() {
        for (text, path) in [
            ("2:cpuacct:/a\n1:cpu:/b\n0::/c\n", "/b"),
            ("5:cpu,cpuacct:/docker/0123\n", "/docker/0123"),
            ("3:cpuset:/x\n1:cpu:/\n", "/"),
            (
                "1:name=systemd:/a:b\n4:cpuacct,cpu:/with:colon\n",
                "/with:colon",
            ),
            ("0::/\n", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(text), Path::new(path), "{text}");
        }
    }

    #[test]
    fn misc_is_taken_out_of_the_table() {
        let table = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\n";
        assert_eq!(without_misc(table), None);
        let with = format!("{table}misc\t9\t1\t1\npids\t8\t1\t1\n");
        assert_eq!(without_misc(&with), Some(format!("{table}pids\t8\t1\t1\n")));
    }

    #[test]
    fn only_v1_hierarchies_below_the_usual_place_count() {
        let mounts = mountinfo::parse(
            "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
             32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
             33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
             42 23 0:39 / /elsewhere rw - cgroup cgroup rw,memory\n",
        );
        let targets: Vec<_> = v1_hierarchies(&mounts).map(|mount| &mount.target).collect();
        assert_eq!(
            targets,
            [
                Path::new("/sys/fs/cgroup/cpu"),
                Path::new("/sys/fs/cgroup/cpuacct")
            ]
        );
    }

    #[test]
    fn groups_inherit_processors_and_memory() {
        let hierarchy = tempfile::tempdir().unwrap();
        fs::write(hierarchy.path().join("cpuset.cpus"), "0-1\n").unwrap();
        fs::write(hierarchy.path().join("cpuset.mems"), "0\n").unwrap();
        for _ in 0..2 {
            make_groups_in(hierarchy.path(), true).unwrap();
        }
        for group in GROUPS {
            let cpus = fs::read_to_string(hierarchy.path().join(group).join("cpuset.cpus"));
            assert_eq!(cpus.unwrap(), "0-1");
        }
    }

    #[test]
    fn a_unified_hierarchy_is_handed_down_once_it_is_free() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        write("cgroup.controllers", "cpuset cpu memory\n");
        write("cgroup.procs", "0\n1\n42\n");
        let error = delegate_controllers(root.path()).unwrap_err();
        assert!(error.to_string().contains("1, 42"), "{error}");
        write("cgroup.procs", "0\n0\n");
        delegate_controllers(root.path()).unwrap();
        for group in ["", "kubelet", "kubelet.slice"] {
            let path = root.path().join(group).join("cgroup.subtree_control");
            assert_eq!(fs::read_to_string(path).unwrap(), "+cpuset +cpu +memory");
        }
    }
}
