//! Nodes in a user namespace (rootless engines).

use rustix::process::{Resource, getrlimit};

use super::{Error, log};

/// The kubelet and containerd open this many files on busy nodes.
const OPEN_FILES: u64 = 64_000;

/// Tells whether a uid map is that of a user namespace other than the initial one.
pub(super) fn is_namespace(uid_map: &str) -> bool {
    let fields: Vec<&str> = uid_map.split_whitespace().collect();
    fields != ["0", "0", "4294967295"]
}

/// Checks what a rootless node needs from its host. `controllers` is the text of the root
/// cgroup's `cgroup.controllers`, where there is one.
pub(super) fn validate_userns(controllers: Option<&str>) -> Result<(), Error> {
    if let Some(limit) = getrlimit(Resource::Nofile).maximum
        && limit < OPEN_FILES
    {
        log::warn(format!(
            "UserNS: expected RLIMIT_NOFILE to be at least {OPEN_FILES}, got {limit}"
        ));
    }
    let missing = controllers.map_or_else(Vec::new, missing_controllers);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Controllers(missing))
}

fn missing_controllers(available: &str) -> Vec<&'static str> {
    let mut missing = vec!["cpu", "memory", "pids"];
    missing.retain(|controller| !available.split_whitespace().any(|name| name == *controller));
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_identity_map_is_no_namespace() {
        assert!(!is_namespace("         0          0 4294967295\n"));
        for map in [
            "         0       1000          1\n         1     100000      65536\n",
            "0 100000 4294967295\n",
            "",
        ] {
            assert!(is_namespace(map), "{map}");
        }
    }

    #[test]
    fn controllers_that_are_missing_are_named() {
        let cases: [(&str, &[&str]); 3] = [
            ("cpuset cpu io memory hugetlb pids rdma misc\n", &[]),
            ("memory pids\n", &["cpu"]),
            ("cpuset\n", &["cpu", "memory", "pids"]),
        ];
        for (available, missing) in cases {
            assert_eq!(missing_controllers(available), missing, "{available}");
        }
    }
}
