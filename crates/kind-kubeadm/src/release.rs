//! Names that changed from one Kubernetes release to another.

use kind_config::version::{SemanticVersion, Version};

use crate::Error;

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
const MASTER: &str = "node-role.kubernetes.io/master";

/// Keys of the taints that keep ordinary pods off control-plane nodes.
///
/// # Errors
/// The Kubernetes version is none.
pub fn control_plane_taints(kubernetes: &str) -> Result<&'static [&'static str], Error> {
    let version: SemanticVersion = kubernetes.parse()?;
    Ok(
        if version < parse_version("v1.24.0-alpha.1.592+370031cadac624") {
            &[MASTER]
        } else if version < parse_version("v1.25.0-alpha.0.557+84c8afeba39ec9") {
            &[CONTROL_PLANE, MASTER]
        } else {
            &[CONTROL_PLANE]
        },
    )
}

/// The kubeconfig of an administrator who may do everything from the server's first moment. Since 1.29 the
/// usual one is of a group that gets its rights by a role binding.
pub fn first_kubeconfig(version: &Version) -> &'static str {
    if has_admin_group(version) {
        "/etc/kubernetes/super-admin.conf"
    } else {
        "/etc/kubernetes/admin.conf"
    }
}

/// Whether administrators are members of a group that gets its rights by a role binding.
pub(crate) fn has_admin_group(version: &Version) -> bool {
    *version >= Version::new(1, 29, 0)
}

/// Whether kubeadm notes the socket of a node's container runtime at the node. Since 1.34 it is in a file of
/// the node instead.
pub fn notes_runtime_at_node(version: &Version) -> bool {
    *version < Version::new(1, 34, 0)
}

fn parse_version(version: &str) -> SemanticVersion {
    version
        .parse()
        .expect("the versions of this module are semantic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_follow_the_release() {
        for (version, taints) in [
            ("v1.20.2", &[MASTER] as &[&str]),
            ("v1.24.0-alpha.1", &[MASTER]),
            ("v1.24.0", &[CONTROL_PLANE, MASTER]),
            ("v1.25.0", &[CONTROL_PLANE]),
            ("v1.37.0", &[CONTROL_PLANE]),
        ] {
            assert_eq!(control_plane_taints(version).unwrap(), taints, "{version}");
        }
        assert!(control_plane_taints("latest").is_err());
    }
}
