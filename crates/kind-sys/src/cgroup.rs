//! A node's cgroups: one in every hierarchy of the host, be it version 1, version 2 or both.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::mountinfo::Mount;
use crate::process::Pid;

/// The cgroup hierarchies of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchies {
    /// All of them, in the order of the mount table.
    pub all: Vec<Hierarchy>,
}

/// One hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where the host has it mounted.
    pub mount: PathBuf,
    /// What it is.
    pub kind: Kind,
}

/// What a hierarchy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Version 1 with these controllers, or with one name such as `name=systemd`.
    V1(Vec<String>),
    /// Version 2.
    V2,
}

impl Hierarchies {
    /// Reads the hierarchies of the host from its mount table.
    pub fn of_host() -> io::Result<Self> {
        Ok(Self::from_mounts(&crate::mountinfo::read()?))
    }

    fn from_mounts(mounts: &[Mount]) -> Self {
        let mut all: Vec<Hierarchy> = Vec::new();
        for mount in mounts {
            let kind = match mount.filesystem.as_str() {
                "cgroup" => Kind::V1(controllers(&mount.options)),
                "cgroup2" => Kind::V2,
                _ => continue,
            };
            // A hierarchy that is mounted twice is used where it was mounted first.
            if all.iter().all(|known| known.kind != kind) {
                all.push(Hierarchy {
                    mount: mount.target.clone(),
                    kind,
                });
            }
        }
        Self { all }
    }

    /// The host has version 2 only.
    pub fn unified(&self) -> bool {
        self.all.iter().all(|hierarchy| hierarchy.kind == Kind::V2)
    }
}

/// The options of a version 1 hierarchy that name what it is for.
fn controllers(options: &[String]) -> Vec<String> {
    const OTHER: [&str; 6] = [
        "rw",
        "ro",
        "xattr",
        "clone_children",
        "noprefix",
        "cpuset_v2_mode",
    ];
    options
        .iter()
        .filter(|option| !OTHER.contains(&option.as_str()) && !option.starts_with("release_agent"))
        .cloned()
        .collect()
}

/// The cgroups of one node: the path below every hierarchy's root, for example `kind/worker`.
#[derive(Debug)]
pub struct Group {
    hierarchies: Hierarchies,
    path: PathBuf,
}

impl Group {
    /// The group of that relative path; nothing is made yet.
    pub fn new(hierarchies: Hierarchies, path: impl Into<PathBuf>) -> Self {
        Self {
            hierarchies,
            path: path.into(),
        }
    }

    /// Makes the group in every hierarchy.
    pub fn create(&self) -> io::Result<()> {
        self.hierarchies
            .all
            .iter()
            .try_for_each(|hierarchy| self.create_in(hierarchy))
    }

    /// Again and again: the removal of another group may take the directory above away in between.
    fn create_in(&self, hierarchy: &Hierarchy) -> io::Result<()> {
        const ATTEMPTS: usize = 100;
        let mut result = Ok(());
        for _ in 0..ATTEMPTS {
            result = create_below(hierarchy, &self.path);
            if !result.as_ref().is_err_and(is_gone) {
                break;
            }
        }
        result
    }

    /// Lets the group use so many thousandths of a processor.
    pub fn limit_processors(&self, thousandths: u64) -> io::Result<()> {
        // In microseconds; the kernel's own period.
        const PERIOD: u64 = 100_000;
        let quota = thousandths * (PERIOD / 1000);
        self.write_controller_file(
            "cpu",
            ("cpu.cfs_quota_us", &quota.to_string()),
            ("cpu.max", &format!("{quota} {PERIOD}")),
        )
    }

    /// Lets the group use so many bytes of memory, and no swap beside them.
    pub fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        let bytes = bytes.to_string();
        self.write_controller_file(
            "memory",
            ("memory.limit_in_bytes", &bytes),
            ("memory.max", &bytes),
        )?;
        let swap = self.write_controller_file(
            "memory",
            // Together with memory.
            ("memory.memsw.limit_in_bytes", &bytes),
            ("memory.swap.max", "0"),
        );
        match swap {
            // A kernel that does not count swap has no such file.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
            swap => swap,
        }
    }

    /// Writes a file of a controller, as the version of its hierarchy calls it.
    ///
    /// # Errors
    /// `Unsupported` if no hierarchy has it.
    fn write_controller_file(
        &self,
        controller: &str,
        v1: (&str, &str),
        v2: (&str, &str),
    ) -> io::Result<()> {
        for hierarchy in &self.hierarchies.all {
            let group = hierarchy.mount.join(&self.path);
            let (file, value) = match &hierarchy.kind {
                Kind::V1(controllers) if controllers.iter().any(|one| one == controller) => v1,
                Kind::V1(_) => continue,
                Kind::V2 => v2,
            };
            if group.join(file).exists() {
                return fs::write(group.join(file), value);
            }
        }
        let message = format!(
            "no cgroup hierarchy of this host has `{}` or `{}` of the controller `{controller}`",
            v1.0, v2.0
        );
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    /// Moves a process to the group.
    pub fn add_process(&self, pid: Pid) -> io::Result<()> {
        self.add_at(pid, &self.path.clone())
    }

    /// Moves a process to where commands that are run in the node belong. In version 2 that is a child
    /// of its own: a group with controllers for its children must not hold processes itself.
    pub fn add_command(&self, pid: Pid) -> io::Result<()> {
        let leaf = self.path.join("kind-exec");
        for hierarchy in &self.hierarchies.all {
            let path = match hierarchy.kind {
                Kind::V1(_) => &self.path,
                Kind::V2 => {
                    fs::create_dir_all(hierarchy.mount.join(&leaf))?;
                    &leaf
                }
            };
            join_group(hierarchy, path, pid)?;
        }
        Ok(())
    }

    fn add_at(&self, pid: Pid, path: &Path) -> io::Result<()> {
        self.hierarchies
            .all
            .iter()
            .try_for_each(|hierarchy| join_group(hierarchy, path, pid))
    }

    /// Kills every process of the group and of the groups below it, and removes them all.
    /// A group that does not exist is no error.
    pub fn remove(&self, limit: Duration) -> io::Result<()> {
        let deadline = Instant::now() + limit;
        for hierarchy in &self.hierarchies.all {
            let directory = hierarchy.mount.join(&self.path);
            while let Err(error) = remove_tree(&directory) {
                if Instant::now() > deadline {
                    return Err(error);
                }
                kill_tree(&directory);
                std::thread::sleep(Duration::from_millis(5));
            }
            // The directory above is shared by all nodes: it goes with the last one.
            if let Some(parent) = directory
                .parent()
                .filter(|parent| *parent != hierarchy.mount)
            {
                let _ = fs::remove_dir(parent);
            }
        }
        Ok(())
    }
}

/// The group that was worked in, or the one above it, has just been removed.
fn is_gone(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| matches!(errno, Errno::NOENT | Errno::NODEV))
}

fn create_below(hierarchy: &Hierarchy, path: &Path) -> io::Result<()> {
    let mut directory = hierarchy.mount.clone();
    for part in path {
        if hierarchy.kind == Kind::V2 {
            pass_controllers_down(&directory);
        }
        let parent = directory.clone();
        directory.push(part);
        match fs::create_dir(&directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // A fresh group of version 1's cpuset has no processors and takes no process.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            inherit(&parent.join(file), &directory.join(file))?;
        }
    }
    Ok(())
}

/// Offers every controller of a version 2 group to its children. One that cannot be offered (it may be
/// in use by a real-time process, or by version 1) is simply not there for nodes.
fn pass_controllers_down(directory: &Path) {
    let Ok(controllers) = fs::read_to_string(directory.join("cgroup.controllers")) else {
        return;
    };
    for controller in controllers.split_whitespace() {
        let _ = fs::write(
            directory.join("cgroup.subtree_control"),
            format!("+{controller}"),
        );
    }
}

fn inherit(from: &Path, to: &Path) -> io::Result<()> {
    match (fs::read_to_string(from), fs::read_to_string(to)) {
        (Ok(value), Ok(own)) if own.trim().is_empty() && !value.trim().is_empty() => {
            fs::write(to, value)
        }
        _ => Ok(()),
    }
}

fn join_group(hierarchy: &Hierarchy, path: &Path, pid: Pid) -> io::Result<()> {
    let file = hierarchy.mount.join(path).join("cgroup.procs");
    fs::write(file, pid.as_raw_nonzero().to_string())
}

fn kill_tree(directory: &Path) {
    if fs::write(directory.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    for_each_below(directory, &mut |group| {
        let pids = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        for pid in pids.lines().filter_map(|line| line.parse().ok()) {
            if let Some(handle) =
                Pid::from_raw(pid).and_then(|pid| crate::process::Handle::open(pid).ok())
            {
                let _ = handle.signal(crate::process::KILL);
            }
        }
    });
}

fn remove_tree(directory: &Path) -> io::Result<()> {
    let mut result = Ok(());
    for_each_below(directory, &mut |group| match fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => result = Err(error),
        _ => {}
    });
    result
}

/// Visits `directory` and the groups below it, children first.
fn for_each_below(directory: &Path, visit: &mut dyn FnMut(&Path)) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        for_each_below(&entry.path(), visit);
    }
    visit(directory);
}

#[cfg(test)]
mod tests {
    use kind_testkit::machine::require_root;

    use super::*;

    #[test]
    fn tells_hierarchies_apart() {
        let mounts = crate::mountinfo::parse(
            "1 0 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
             2 1 0:2 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
             3 1 0:3 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
             4 1 0:4 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n\
             5 1 0:4 / /mnt rw - cgroup2 cgroup2 rw\n",
        );
        let found = Hierarchies::from_mounts(&mounts);
        let kinds: Vec<_> = found.all.iter().map(|one| one.kind.clone()).collect();
        let v1 = |names: &[&str]| Kind::V1(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(
            kinds,
            [v1(&["cpu", "cpuacct"]), v1(&["name=systemd"]), Kind::V2]
        );
        assert!(!found.unified());
    }

    #[test]
    fn a_group_has_the_limits_it_was_given() {
        require_root();
        let hierarchies = Hierarchies::of_host().unwrap();
        let name = format!("kind-test-{}-limited/node", std::process::id());
        let group = Group::new(hierarchies.clone(), &name);
        group.create().unwrap();
        group.limit_processors(1500).unwrap();
        group.limit_memory(64 << 20).unwrap();
        let read = |file: &str| {
            let groups = hierarchies.all.iter().map(|one| one.mount.join(&name));
            let mut texts = groups.filter_map(|group| fs::read_to_string(group.join(file)).ok());
            texts.next().map(|text| text.trim().to_owned())
        };
        let either = |v1: &str, v2: &str| read(v1).or_else(|| read(v2)).unwrap();
        let quota = either("cpu.cfs_quota_us", "cpu.max");
        assert_eq!(quota.split(' ').next(), Some("150000"));
        assert_eq!(either("memory.limit_in_bytes", "memory.max"), "67108864");
        group.remove(Duration::from_secs(5)).unwrap();
    }

    #[test]
    fn neighbours_come_and_go() {
        require_root();
        let hierarchies = Hierarchies::of_host().unwrap();
        let parent = format!("kind-test-{}-neighbours", std::process::id());
        std::thread::scope(|scope| {
            for name in ["one", "other"] {
                let group = Group::new(hierarchies.clone(), Path::new(&parent).join(name));
                scope.spawn(move || {
                    for _ in 0..50 {
                        group.create().unwrap();
                        group.remove(Duration::from_secs(5)).unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn a_group_with_children_and_processes_goes_away() {
        require_root();
        let hierarchies = Hierarchies::of_host().unwrap();
        let name = format!("kind-test-{}/node", std::process::id());
        let group = Group::new(hierarchies.clone(), &name);
        group.create().unwrap();
        for hierarchy in &hierarchies.all {
            create_below(hierarchy, &Path::new(&name).join("deep/er")).unwrap();
        }
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        group.add_command(Pid::from_child(&child)).unwrap();
        let waiter = std::thread::spawn(move || child.wait());
        group.remove(Duration::from_secs(5)).unwrap();
        waiter.join().unwrap().unwrap();
        for hierarchy in &hierarchies.all {
            assert!(!hierarchy.mount.join(&name).parent().unwrap().exists());
        }
    }
}
