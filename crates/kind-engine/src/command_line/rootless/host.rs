//! A host's files that decide what its users may do without root.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Where `newuidmap` and `newgidmap` are on most hosts, and on NixOS, whose other places are not root's to mark.
const PROGRAMS: [&str; 5] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/run/wrappers/bin",
    "/run/current-system/sw/bin",
];

/// What was found. A file that is not there leaves `None`: then nothing is known, and nothing is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::command_line) struct Host {
    /// The user's number.
    pub(super) uid: u32,
    /// Their name in `/etc/passwd`, if they are there.
    pub(super) user: Option<String>,
    /// Subordinate user and group ids, from `/etc/subuid` and `/etc/subgid`; `None` where another source
    /// (`subid:` in `/etc/nsswitch.conf`) or nobody tells.
    pub(super) subordinate_uids: Option<u64>,
    pub(super) subordinate_gids: Option<u64>,
    /// `newuidmap` and `newgidmap` are in one of the usual places, or where the user's programs are.
    pub(super) id_mappers: bool,
    /// `/dev/fuse` is there.
    pub(super) fuse: bool,
    /// Controllers of the unified hierarchy that the user's own manager was given.
    pub(super) delegated: Option<Vec<String>>,
    /// Sysctls.
    pub(super) unprivileged_port_start: Option<u64>,
    pub(super) max_user_namespaces: Option<u64>,
    pub(super) unprivileged_userns_clone: Option<u64>,
    pub(super) apparmor_restricts_userns: Option<u64>,
    pub(super) inotify_instances: Option<u64>,
    /// Keys that the user has and may have (`/proc/key-users`): every container takes one.
    pub(super) keys: Option<(u64, u64)>,
}

impl Host {
    /// The machine and the user that this runs on, whose variable `PATH` is given.
    pub(in crate::command_line) fn current(path: &OsStr) -> Self {
        Self::read(Path::new("/"), rustix::process::getuid().as_raw(), path)
    }

    /// Reads the files below `root` for the user of that number, who has this variable `PATH`.
    fn read(root: &Path, uid: u32, path: &OsStr) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).ok();
        let number = |path: &str| text(&format!("proc/sys/{path}"))?.trim().parse().ok();
        let there = |path: &str| root.join(path).exists();
        let user = text("etc/passwd").and_then(|passwd| name_of(&passwd, uid));
        let ids = |path: &str| {
            let elsewhere = text("etc/nsswitch.conf").is_some_and(|text| has_other_source(&text));
            let owners = [Some(uid.to_string()), user.clone()];
            // A user of another directory may be in the file under a name that is not known here.
            let known = user.is_some() && !elsewhere;
            known.then(|| subordinate_ids(&text(path).unwrap_or_default(), &owners))
        };
        let program = |name: &str| {
            let known = PROGRAMS.iter().map(PathBuf::from);
            let mut places = known.chain(std::env::split_paths(path));
            places.any(|place| {
                root.join(place.strip_prefix("/").unwrap_or(&place))
                    .join(name)
                    .exists()
            })
        };
        let manager = format!(
            "sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers"
        );
        Self {
            uid,
            subordinate_uids: ids("etc/subuid"),
            subordinate_gids: ids("etc/subgid"),
            id_mappers: program("newuidmap") && program("newgidmap"),
            fuse: there("dev/fuse"),
            delegated: text(&manager)
                .map(|text| text.split_whitespace().map(str::to_owned).collect()),
            unprivileged_port_start: number("net/ipv4/ip_unprivileged_port_start"),
            max_user_namespaces: number("user/max_user_namespaces"),
            unprivileged_userns_clone: number("kernel/unprivileged_userns_clone"),
            apparmor_restricts_userns: number("kernel/apparmor_restrict_unprivileged_userns"),
            inotify_instances: number("fs/inotify/max_user_instances"),
            keys: text("proc/key-users")
                .and_then(|users| keys_of(&users, uid, number("kernel/keys/maxkeys"))),
            user,
        }
    }
}

/// A user's name in the text of `/etc/passwd`.
fn name_of(passwd: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// Whether subordinate ids come from elsewhere than files.
fn has_other_source(nsswitch: &str) -> bool {
    let line = nsswitch
        .lines()
        .find_map(|line| line.trim().strip_prefix("subid:"));
    line.is_some_and(|sources| sources.split_whitespace().any(|source| source != "files"))
}

/// How many ids the owners have in the text of `/etc/subuid` (`OWNER:FIRST:COUNT`).
fn subordinate_ids(text: &str, owners: &[Option<String>]) -> u64 {
    let count = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let ours = owners.iter().flatten().any(|name| name == owner);
        let count: u64 = fields.nth(1)?.parse().ok()?;
        ours.then_some(count)
    };
    text.lines().filter_map(count).fold(0, u64::saturating_add)
}

/// Keys that a user has and may have, from `/proc/key-users` (`UID: USAGE NKEYS/NIKEYS QNKEYS/MAXKEYS …`);
/// who has none is not there, and may have `limit`.
fn keys_of(users: &str, uid: u32, limit: Option<u64>) -> Option<(u64, u64)> {
    let prefix = format!("{uid}:");
    let line = users
        .lines()
        .find_map(|line| line.trim().strip_prefix(&prefix));
    let Some(line) = line else {
        return Some((0, limit?));
    };
    let (used, limit) = line.split_whitespace().nth(2)?.split_once('/')?;
    Some((used.parse().ok()?, limit.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_files_are_read() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n",
        );
        write(
            "etc/subuid",
            "v:1:5\nu:100000:65536\n1000:200000:10\nbroken\nu:x:y\n",
        );
        write("proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
        write(
            "proc/key-users",
            "    0:    82 81/81 70/1000000 1370/25000000\n 1000:     5 5/5 7/200 45/20000\n",
        );
        write(
            "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers",
            "memory pids\n",
        );
        write("usr/bin/newuidmap", "");
        write("run/privileged/bin/newgidmap", "");
        let host = Host::read(root.path(), 1000, OsStr::new(""));
        write("run/wrappers/bin/newgidmap", "");
        assert!(Host::read(root.path(), 1000, OsStr::new("")).id_mappers);
        fs::remove_file(root.path().join("run/wrappers/bin/newgidmap")).unwrap();
        assert_eq!(host.user.as_deref(), Some("u"));
        assert_eq!(
            (host.subordinate_uids, host.subordinate_gids),
            (Some(65546), Some(0))
        );
        assert!(!host.id_mappers && !host.fuse);
        assert_eq!(
            host.delegated,
            Some(vec!["memory".to_owned(), "pids".to_owned()])
        );
        assert_eq!(host.unprivileged_port_start, Some(1024));
        assert_eq!(
            (host.keys, host.max_user_namespaces),
            (Some((7, 200)), None)
        );
        let path = OsStr::new("/usr/games:/run/privileged/bin");
        assert!(Host::read(root.path(), 1000, path).id_mappers);
        write("etc/nsswitch.conf", "passwd: files\nsubid: sss\n");
        assert_eq!(
            Host::read(root.path(), 1000, OsStr::new("")).subordinate_uids,
            None
        );
        assert_eq!(
            Host::read(root.path(), 1001, OsStr::new("")).subordinate_gids,
            None
        );
    }

    #[test]
    fn who_has_no_keys_may_have_them_all() {
        assert_eq!(keys_of("", 1000, Some(200)), Some((0, 200)));
        assert_eq!(keys_of("1000: broken", 1000, Some(200)), None);
    }
}
