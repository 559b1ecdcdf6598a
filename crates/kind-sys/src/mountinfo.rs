//! The mount table of a process, as `/proc/<pid>/mountinfo` shows it.

use std::io;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The part of the filesystem that is mounted.
    pub root: PathBuf,
    /// Where it is mounted.
    pub target: PathBuf,
    /// Filesystem type, for example `ext4`.
    pub filesystem: String,
    /// What was mounted, for example `/dev/vda`.
    pub source: String,
    /// Options of the filesystem itself, for example `rw,cpu,cpuacct`.
    pub options: Vec<String>,
    /// Mounts made below travel to other namespaces.
    pub shared: bool,
}

/// The mounts that the calling process sees.
pub fn read() -> io::Result<Vec<Mount>> {
    Ok(parse(&std::fs::read_to_string("/proc/self/mountinfo")?))
}

/// The mount that holds `path`: the one with the longest target above it, the latest if several.
pub fn holding<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    mounts
        .iter()
        .filter(|mount| path.starts_with(&mount.target))
        .max_by_key(|mount| mount.target.components().count())
}

/// Reads the text of a mountinfo file; lines that do not follow proc(5) are left out.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    // 36 35 98:0 /root /target rw,noatime shared:1 - ext3 /dev/root rw,errors=continue
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let root = unescape_field(fields.next()?);
    let target = unescape_field(fields.next()?);
    let shared = fields.skip(1).any(|field| field.starts_with("shared:"));
    let mut fields = filesystem.split(' ');
    Some(Mount {
        root: root.into(),
        target: target.into(),
        shared,
        filesystem: fields.next()?.to_owned(),
        source: unescape_field(fields.next()?),
        options: fields.next()?.split(',').map(str::to_owned).collect(),
    })
}

/// Undoes the kernel's octal escapes for space, tab, newline and backslash.
fn unescape_field(field: &str) -> String {
    ["\\040 ", "\\011\t", "\\012\n", "\\134\\"]
        .iter()
        .fold(field.to_owned(), |text, pair| {
            text.replace(&pair[..4], &pair[4..])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
29 28 0:25 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
30 28 0:26 /a\\040b /mnt/with\\040space ro master:3 - tmpfs none rw,size=4k
not a mount line
";

    #[test]
    fn reads_targets_options_and_propagation() {
        let mounts = parse(TABLE);
        assert_eq!(mounts.len(), 3);
        assert!(mounts[0].shared && !mounts[2].shared);
        assert_eq!(mounts[1].options, ["rw", "cpu", "cpuacct"]);
        assert_eq!(mounts[2].target, Path::new("/mnt/with space"));
        assert_eq!(mounts[2].root, Path::new("/a b"));
    }

    #[test]
    fn finds_the_mount_of_a_path() {
        let mounts = parse(TABLE);
        let holder =
            |path: &str| holding(&mounts, Path::new(path)).map(|mount| mount.filesystem.clone());
        assert_eq!(holder("/sys/fs/cgroup/cpu/x").as_deref(), Some("cgroup"));
        assert_eq!(holder("/sys/fs").as_deref(), Some("ext4"));
    }
}
