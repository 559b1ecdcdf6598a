//! How kubeadm is called.

use crate::skip_phases::{DNS, KUBE_PROXY, init_skip_phases, join_skip_phases};
use crate::{ClusterSettings, Documents, NodeFacts};

/// Where a node's kubeadm documents stand in the node.
pub const CONFIG_PATH: &str = "/kind/kubeadm.conf";

/// Where the documents stand by which a node starts without asking the cluster.
pub const START_PATH: &str = "/kind/kubeadm-start.conf";

/// What is done before the API server runs, and the wait for it.
const WITHOUT_SERVER: [&str; 6] = [
    "certs",
    "kubeconfig",
    "etcd",
    "control-plane",
    "kubelet-start",
    "wait-control-plane",
];

/// What `kubeadm init` does once the API server runs, in parts that may run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectPhase {
    /// Keeps the configuration in the cluster.
    UploadConfig,
    /// Labels and taints the first control plane.
    MarkControlPlane,
    /// Installs kube-proxy.
    KubeProxy,
    /// Installs kubeadm's cluster DNS.
    CoreDns,
    /// Whatever the others leave, phases of later versions too.
    Rest,
}

/// Phases that do nothing but make objects and on which no other depends.
const OBJECT_PHASES: [ObjectPhase; 4] = [
    ObjectPhase::UploadConfig,
    ObjectPhase::MarkControlPlane,
    ObjectPhase::KubeProxy,
    ObjectPhase::CoreDns,
];

impl ObjectPhase {
    /// The phase as `--skip-phases` names it, and as `kubeadm init phase` does; the rest has no name.
    fn phase_names(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::UploadConfig => Some(("upload-config", &["upload-config", "all"])),
            Self::MarkControlPlane => Some(("mark-control-plane", &["mark-control-plane"])),
            Self::KubeProxy => Some((KUBE_PROXY, &["addon", "kube-proxy"])),
            Self::CoreDns => Some((DNS, &["addon", "coredns"])),
            Self::Rest => None,
        }
    }
}

/// The command that makes the first control-plane node of its documents.
pub fn init_command(
    cluster: &ClusterSettings,
    documents: &Documents,
    facts: &NodeFacts,
) -> Vec<String> {
    let has_own = !facts.skip_phases.is_empty();
    init_arguments(if facts.api().has_skip_phases() && !has_own {
        Vec::new()
    } else {
        all_skip_phases(cluster, documents, facts)
    })
}

/// The parts of `kubeadm init` that need the API server, for a node that was started by kubeadm's phases: the
/// commands may run at once. The last one is [`ObjectPhase::Rest`].
pub fn object_phase_commands(
    cluster: &ClusterSettings,
    documents: &Documents,
    facts: &NodeFacts,
) -> Vec<(ObjectPhase, Vec<String>)> {
    let mut skipped = all_skip_phases(cluster, documents, facts);
    let is_wanted = |phase: &str| {
        let (whole, part) = (phase.split('/').next(), format!("{phase}/"));
        let leaves_out = |skip: &String| {
            skip == phase || Some(skip.as_str()) == whole || skip.starts_with(&part)
        };
        !skipped.iter().any(leaves_out)
    };
    let apart = OBJECT_PHASES.into_iter().filter_map(|phase| {
        let (name, words) = phase.phase_names()?;
        is_wanted(name).then_some((phase, name, words))
    });
    let apart: Vec<_> = apart.collect();
    let phases = apart.iter().map(|(_, name, _)| (*name).to_owned());
    let others: Vec<_> = WITHOUT_SERVER
        .map(str::to_owned)
        .into_iter()
        .chain(phases)
        .collect();
    add_phases(&mut skipped, others.iter());
    let object_phase = |(phase, _, words): (ObjectPhase, &str, &[&str])| {
        let config = format!("--config={CONFIG_PATH}");
        let arguments = [&["kubeadm", "init", "phase"], words, &[&config, "--v=6"]].concat();
        (phase, kubeadm_command(&arguments, &[]))
    };
    let mut commands: Vec<_> = apart.into_iter().map(object_phase).collect();
    commands.push((ObjectPhase::Rest, init_arguments(skipped)));
    commands
}

fn init_arguments(skip_phases: Vec<String>) -> Vec<String> {
    let config = format!("--config={CONFIG_PATH}");
    let arguments = ["kubeadm", "init", &config, "--skip-token-print", "--v=6"];
    kubeadm_command(&arguments, &skip_phases)
}

/// All phases that `kubeadm init` skips on a node, for its command line: the argument replaces the documents'
/// list, and with it what users' patches put there.
fn all_skip_phases(
    cluster: &ClusterSettings,
    documents: &Documents,
    facts: &NodeFacts,
) -> Vec<String> {
    let mut phases = if facts.api().has_skip_phases() {
        documents.init_skip_phases()
    } else {
        init_skip_phases(cluster)
    };
    add_phases(&mut phases, facts.skip_phases.iter());
    phases
}

fn add_phases<'a>(phases: &mut Vec<String>, more: impl Iterator<Item = &'a String>) {
    for phase in more {
        if !phases.contains(phase) {
            phases.push(phase.clone());
        }
    }
}

/// The command that makes any further node.
pub fn join_command(facts: &NodeFacts) -> Vec<String> {
    let arguments = ["kubeadm", "join", "--config", CONFIG_PATH, "--v=6"];
    let phases = if facts.api().has_skip_phases() {
        Vec::new()
    } else {
        join_skip_phases()
    };
    kubeadm_command(&arguments, &phases)
}

fn kubeadm_command(arguments: &[&str], skip_phases: &[String]) -> Vec<String> {
    let mut command: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
    if !skip_phases.is_empty() {
        command.push(format!("--skip-phases={}", skip_phases.join(",")));
    }
    command
}

#[cfg(test)]
mod tests {
    use kind_config::{Cluster, KubeProxyMode};

    use super::*;
    use crate::testing::{cluster_settings, patched, render};

    fn cluster(config: &str) -> Cluster {
        let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n{config}");
        let mut cluster = Cluster::parse(&text).unwrap();
        cluster.set_defaults();
        cluster
    }

    fn facts(version: &str) -> NodeFacts {
        let mut facts = NodeFacts::new("kind-control-plane", "native", version).unwrap();
        facts.ipv4 = Some([172, 18, 0, 2].into());
        facts
    }

    fn init(cluster: &Cluster, facts: &NodeFacts) -> String {
        let documents = patched(cluster, facts).unwrap();
        init_command(&cluster_settings(cluster), &documents, facts).join(" ")
    }

    #[test]
    fn old_versions_take_phases_as_an_argument() {
        let mut cluster = cluster("");
        let command = "kubeadm init --config=/kind/kubeadm.conf --skip-token-print --v=6";
        let join = "kubeadm join --config /kind/kubeadm.conf --v=6";
        assert_eq!(init(&cluster, &facts("v1.36.1")), command);
        assert_eq!(join_command(&facts("v1.23.0")).join(" "), join);
        assert_eq!(
            init(&cluster, &facts("v1.22.17")),
            format!("{command} --skip-phases=preflight")
        );
        assert_eq!(
            join_command(&facts("v1.20.2")).join(" "),
            format!("{join} --skip-phases=preflight")
        );

        cluster.networking.kube_proxy_mode = KubeProxyMode::None;
        let mut old = facts("v1.20.2");
        old.skip_phases.push("addon/coredns".into());
        assert_eq!(
            init(&cluster, &old),
            format!("{command} --skip-phases=preflight,addon/kube-proxy,addon/coredns")
        );
    }

    fn recorded(cluster: &Cluster, facts: &NodeFacts) -> Vec<String> {
        let documents = patched(cluster, facts).unwrap();
        let commands =
            object_phase_commands(&cluster_settings(cluster), &documents, facts).into_iter();
        commands.map(|(_, argv)| argv.join(" ")).collect()
    }

    #[test]
    fn records_are_made_without_what_starts_a_node() {
        let cluster = cluster("");
        for version in ["v1.20.2", "v1.36.1"] {
            let mut facts = facts(version);
            facts.skip_phases.push("etcd".into());
            let phase = |words: &str| {
                format!("kubeadm init phase {words} --config=/kind/kubeadm.conf --v=6")
            };
            let rest = "kubeadm init --config=/kind/kubeadm.conf --skip-token-print --v=6 \
                        --skip-phases=preflight,etcd,certs,kubeconfig,control-plane,kubelet-start,\
                        wait-control-plane,upload-config,mark-control-plane,addon/kube-proxy,addon/coredns";
            let expected = [
                phase("upload-config all"),
                phase("mark-control-plane"),
                phase("addon kube-proxy"),
                phase("addon coredns"),
                rest.to_owned(),
            ];
            assert_eq!(recorded(&cluster, &facts), expected, "{version}");
        }
    }

    #[test]
    fn records_that_nobody_wants_are_not_made() {
        for (skipped, phases) in [
            ("addon", ["upload-config all", "mark-control-plane"]),
            (
                "upload-config/kubelet, mark-control-plane",
                ["addon kube-proxy", "addon coredns"],
            ),
        ] {
            let cluster = cluster(&format!(
                "kubeadmConfigPatches: ['{{kind: InitConfiguration, skipPhases: [preflight, {skipped}]}}']\n"
            ));
            let commands = recorded(&cluster, &facts("v1.36.1"));
            assert_eq!(commands.len(), 3, "{commands:?}");
            for (command, phase) in commands.iter().zip(phases) {
                assert!(
                    command.starts_with(&format!("kubeadm init phase {phase} ")),
                    "{command}"
                );
            }
        }
    }

    #[test]
    fn phases_of_a_node_stand_beside_those_of_its_documents() {
        let cluster = cluster(
            "kubeadmConfigPatches: ['{kind: InitConfiguration, skipPhases: [preflight, mark-control-plane]}']\n",
        );
        let mut facts = facts("v1.36.1");
        facts.skip_phases.push("addon/coredns".into());
        let phases = "--skip-phases=preflight,mark-control-plane,addon/coredns";
        assert!(init(&cluster, &facts).ends_with(phases));
        let written = render(&cluster, &facts).unwrap();
        assert!(!written.contains("addon/coredns"), "{written}");
    }
}
