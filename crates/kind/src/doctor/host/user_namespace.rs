//! Whether this machine is itself a container of another one.

use super::facts::Host;
use crate::doctor::outcome::{Outcome, Problem};

/// The map of a kernel's first user namespace: every id is itself.
const WHOLE: [&str; 3] = ["0", "0", "4294967295"];

/// Engines without root make a user namespace of their own, and tell their nodes.
pub(super) fn look_at_user_namespace(host: &Host) -> Outcome {
    match host.text("proc/self/uid_map") {
        Some(map) if host.has_nodes() && host.nodes_uid() == 0 => judge_user_namespace(&map),
        _ => Outcome::skipped("root of this kernel would not run nodes"),
    }
}

fn judge_user_namespace(map: &str) -> Outcome {
    if map.split_whitespace().eq(WHOLE) {
        return Outcome::passed("root is the kernel's");
    }
    let found = "root of this machine is not the kernel's: it is a container (LXC, Chrome OS) of another machine, where the \
         kubelet may not set what it sets elsewhere";
    let remedy = "allow that container to nest others, and put `kubeadmConfigPatches: ['{kind: KubeletConfiguration, \
         featureGates: {KubeletInUserNamespace: true}}']` into the cluster's configuration";
    Problem::warning(found, "the kernel's own root", remedy).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn root_of_a_container_is_told() {
        let judged = |map| told(&judge_user_namespace(map));
        assert_eq!(
            judged("         0          0 4294967295\n"),
            "passed: root is the kernel's"
        );
        assert!(judged("0 100000 65536\n").starts_with("warning: root of this machine is not"));
    }
}
