//! What is wrong with patches, as far as it is known before there are nodes.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use kind_config::{Cluster, tagged_version};

use crate::patch::{PatchError, Patches};
use crate::settings::node_field;
use crate::{
    ClusterSettings, Error, NodeFacts, NodeSettings, containerd, patched, registration, subnets,
};

/// Checks that all patches of a cluster can be read: those of kubeadm's documents and those of
/// containerd's configuration. Where the images tell their Kubernetes version, those of kubeadm's documents must apply
/// too; otherwise that is known once there are nodes.
///
/// Returns what is wrong with each one that cannot.
pub fn check_patches(cluster: &Cluster) -> Vec<Error> {
    let mut problems = Patches::problems(
        "",
        &cluster.kubeadm_config_patches,
        &cluster.kubeadm_config_patches_json6902,
    );
    for (index, node) in cluster.nodes.iter().enumerate() {
        problems.extend(Patches::problems(
            &node_field(index),
            &node.kubeadm_config_patches,
            &node.kubeadm_config_patches_json6902,
        ));
    }
    let mut errors: Vec<_> = problems.into_iter().map(Error::Kubeadm).collect();
    errors.extend(containerd::patch_problems(cluster));
    if errors.is_empty() {
        failing_patches(cluster)
    } else {
        errors
    }
}

/// What is wrong with patches that do not apply. Nodes whose image does not tell its version are left out, and so is a
/// `test` that fails: it may ask for what only a real node has.
fn failing_patches(cluster: &Cluster) -> Vec<Error> {
    let Ok(settings) = ClusterSettings::new(cluster) else {
        return Vec::new();
    };
    let mut known = BTreeSet::new();
    let errors = (0..cluster.nodes.len())
        .flat_map(|index| try_patches(cluster, &settings, index).unwrap_or_default());
    errors
        .filter(|error| known.insert(error.to_string()))
        .collect()
}

/// What is wrong with the documents of a node; `None` if it is not known which they will be.
fn try_patches(cluster: &Cluster, settings: &ClusterSettings, index: usize) -> Option<Vec<Error>> {
    let node = &cluster.nodes[index];
    let version = tagged_version(&node.image)?;
    let name = cluster.node_names().into_iter().nth(index)?;
    let mut facts = NodeFacts::new(&name, "kind", &format!("v{version}")).ok()?;
    facts.ipv4 = Some(Ipv4Addr::LOCALHOST);
    facts.ipv6 = Some(Ipv6Addr::LOCALHOST);
    let node = NodeSettings::new(index, node).ok()?;
    match patched(settings, &node, &facts) {
        Ok(documents) => {
            let mut errors = registration::registration_problems(cluster, index, &documents);
            if cluster.bootstrap_node().as_ref() == Some(&name) {
                errors.extend(subnets::subnet_problems(&documents));
            }
            Some(errors)
        }
        Err(Error::Kubeadm(error)) if !is_failed_test(&error) => Some(vec![Error::Kubeadm(error)]),
        Err(_) => None,
    }
}

fn is_failed_test(error: &PatchError) -> bool {
    let reason = error.reason.downcast_ref::<json_patch::PatchError>();
    reason.is_some_and(|error| matches!(error.kind, json_patch::PatchErrorKind::TestFailed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with the patches of a cluster.
    fn problems(config: &str) -> Vec<String> {
        let header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";
        let mut cluster = Cluster::parse(&format!("{header}{config}")).unwrap();
        cluster.set_defaults();
        let errors = check_patches(&cluster).into_iter();
        errors.map(|error| error.to_string()).collect()
    }

    const MAP: &str = "kubeadmConfigPatches:\n- '{kind: ClusterConfiguration, \
                       apiVersion: kubeadm.k8s.io/v1beta4, apiServer: {extraArgs: {v: \"5\"}}}'\n";

    #[test]
    fn a_map_for_v1beta4_is_refused_before_there_are_nodes() {
        let found = problems(&format!("nodes: [{{}}, {{role: worker}}]\n{MAP}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("has a list of entries"), "{found:?}");
        let older = format!("nodes: [{{image: \"a:v1.35.0\"}}]\n{MAP}");
        assert_eq!(problems(&older), [""; 0]);
        let unknown = format!("nodes: [{{image: my/node}}]\n{MAP}");
        assert_eq!(problems(&unknown), [""; 0]);
    }

    #[test]
    fn an_operation_that_lengthens_a_map_of_arguments_is_refused() {
        let of = |image: &str, api: &str| {
            problems(&format!(
                "nodes: [{{image: \"{image}\"}}]\nkubeadmConfigPatchesJSON6902:\n- group: kubeadm.k8s.io\n  \
                 version: {api}\n  kind: ClusterConfiguration\n  \
                 patch: '[{{op: add, path: /apiServer/extraArgs/-, value: {{name: v, value: \"5\"}}}}]'\n"
            ))
        };
        let found = of("a:v1.30.0", "v1beta3");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("a map of flags and values stands here"),
            "{found:?}"
        );
        assert_eq!(of("a:v1.36.1", "v1beta4"), [""; 0]);
    }

    #[test]
    fn subnets_that_kubeadm_refuses_are_told_before_there_are_nodes() {
        let found =
            problems("networking: {serviceSubnet: 10.96.0.0/30, podSubnet: 10.244.0.0/25}\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("invalid service subnet 10.96.0.0/30"),
            "{found:?}"
        );
        assert!(
            found[1].starts_with("invalid pod subnet 10.244.0.0/25"),
            "{found:?}"
        );
        let patch = "kubeadmConfigPatches: ['{kind: ClusterConfiguration, controllerManager: {extraArgs: \
                     [{name: node-cidr-mask-size, value: \"26\"}]}}']\n";
        let found = problems(&format!(
            "networking: {{podSubnet: 10.244.0.0/25}}\n{patch}"
        ));
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn labels_and_taints_that_patches_give_are_checked_before_there_are_nodes() {
        let of = |kind: &str, registration: &str| {
            problems(&format!(
                "nodes:\n- {{}}\n- {{role: worker, labels: {{a: b}}}}\nkubeadmConfigPatches:\n- |\n  \
                 kind: {kind}\n  nodeRegistration:\n    {registration}\n"
            ))
        };
        let labels =
            |text: &str| format!("kubeletExtraArgs: [{{name: node-labels, value: \"{text}\"}}]");
        let taints = |text: &str| {
            format!("kubeletExtraArgs: [{{name: register-with-taints, value: \"{text}\"}}]")
        };
        for (registration, reason) in [
            (
                labels("a=b,node-role.kubernetes.io/x="),
                "a kubelet may not give",
            ),
            (labels("a=b c"), "has a blank"),
            (labels("a/b/c=d"), "more than one slash"),
            (
                taints("a=b:NoSuchThing"),
                "invalid taint effect: NoSuchThing",
            ),
            (taints("a"), "it has no effect"),
            (taints("a:NoExecute,a=1:NoExecute"), "stands there twice"),
            (
                "taints: [{key: a b, effect: NoExecute}]".to_owned(),
                "invalid taint key",
            ),
            (
                "taints: [{key: a, effect: Never}]".to_owned(),
                "invalid taint effect",
            ),
        ] {
            for kind in ["InitConfiguration", "JoinConfiguration"] {
                let found = of(kind, &registration);
                assert_eq!(found.len(), 1, "{registration}: {found:?}");
                assert!(found[0].contains("kubeadmConfigPatches[0]"), "{found:?}");
                assert!(found[0].contains(reason), "{found:?}");
            }
        }
        for registration in [
            labels("a=b,c="),
            taints("a=b:NoExecute,c:NoSchedule"),
            "taints: []".to_owned(),
        ] {
            assert_eq!(of("JoinConfiguration", &registration), [""; 0]);
        }
        let operation = "nodes: [{}]\nkubeadmConfigPatchesJSON6902:\n- group: kubeadm.k8s.io\n  version: v1beta4\n  \
                         kind: InitConfiguration\n  patch: '[{op: add, path: /nodeRegistration/taints, value: \
                         [{key: a/b/c, effect: NoSchedule}]}]'\n";
        assert!(problems(operation)[0].contains("kubeadmConfigPatchesJSON6902[0]"));
    }

    #[test]
    fn operations_that_do_not_apply_are_told_before_there_are_nodes() {
        let of = |operation: &str| {
            problems(&format!(
                "nodes:\n- {{}}\n- role: worker\n  kubeadmConfigPatchesJSON6902:\n  - group: kubeadm.k8s.io\n    \
                 version: v1beta4\n    kind: JoinConfiguration\n    patch: '[{operation}]'\n"
            ))
        };
        let found = of("{op: replace, path: /nothing/here, value: 1}");
        assert!(
            found[0].contains("nodes[1].kubeadmConfigPatchesJSON6902[0]"),
            "{found:?}"
        );
        assert_eq!(of("{op: test, path: /kind, value: Other}"), [""; 0]);
        assert_eq!(
            of("{op: add, path: /skipPhases/-, value: preflight}"),
            [""; 0]
        );
    }
}
