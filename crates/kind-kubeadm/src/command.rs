//! How kubeadm is called.

use kind_config::{AddOn, Cluster, KubeProxyMode};

use crate::NodeFacts;

/// Where a node's kubeadm documents stand in the node.
pub const CONFIG_PATH: &str = "/kind/kubeadm.conf";

/// Where the documents stand by which a node starts without asking the cluster.
pub const START_PATH: &str = "/kind/kubeadm-start.conf";

/// Name of kubeadm's phase of host checks, most of which fail in any container.
const PREFLIGHT: &str = "preflight";
const KUBE_PROXY: &str = "addon/kube-proxy";
const DNS: &str = "addon/coredns";

/// The command that makes the first control-plane node.
pub fn init_command(cluster: &Cluster, facts: &NodeFacts) -> Vec<String> {
    let config = format!("--config={CONFIG_PATH}");
    let arguments = ["kubeadm", "init", &config, "--skip-token-print", "--v=6"];
    command(&arguments, &init_skip_phases(cluster, facts), facts)
}

/// The command that makes any further node.
pub fn join_command(facts: &NodeFacts) -> Vec<String> {
    let arguments = ["kubeadm", "join", "--config", CONFIG_PATH, "--v=6"];
    command(&arguments, &join_skip_phases(), facts)
}

/// Phases that `kubeadm init` skips.
pub(crate) fn init_skip_phases(cluster: &Cluster, facts: &NodeFacts) -> Vec<String> {
    let mut phases = vec![PREFLIGHT.to_owned()];
    if cluster.networking.kube_proxy_mode == KubeProxyMode::None {
        phases.push(KUBE_PROXY.to_owned());
    }
    if cluster.add_ons.dns == AddOn::None {
        phases.push(DNS.to_owned());
    }
    for phase in &facts.skip_phases {
        if !phases.contains(phase) {
            phases.push(phase.clone());
        }
    }
    phases
}

/// Phases that `kubeadm join` skips.
pub(crate) fn join_skip_phases() -> Vec<String> {
    vec![PREFLIGHT.to_owned()]
}

/// Phases go on the command line only where the documents have no place for them: the argument
/// would replace the documents' list, and with it what users' patches put there.
fn command(arguments: &[&str], skip_phases: &[String], facts: &NodeFacts) -> Vec<String> {
    let mut command: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
    if !facts.api().has_skip_phases() {
        command.push(format!("--skip-phases={}", skip_phases.join(",")));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(version: &str) -> NodeFacts {
        NodeFacts::new("kind-control-plane", "native", version).unwrap()
    }

    #[test]
    fn old_versions_take_phases_as_an_argument() {
        let mut cluster = Cluster::default();
        let init = "kubeadm init --config=/kind/kubeadm.conf --skip-token-print --v=6";
        let join = "kubeadm join --config /kind/kubeadm.conf --v=6";
        assert_eq!(init_command(&cluster, &facts("v1.36.1")).join(" "), init);
        assert_eq!(join_command(&facts("v1.23.0")).join(" "), join);
        assert_eq!(
            init_command(&cluster, &facts("v1.22.17")).join(" "),
            format!("{init} --skip-phases=preflight")
        );
        assert_eq!(
            join_command(&facts("v1.20.2")).join(" "),
            format!("{join} --skip-phases=preflight")
        );

        cluster.networking.kube_proxy_mode = KubeProxyMode::None;
        let mut old = facts("v1.20.2");
        old.skip_phases.push("addon/coredns".into());
        assert_eq!(
            init_command(&cluster, &old).join(" "),
            format!("{init} --skip-phases=preflight,addon/kube-proxy,addon/coredns")
        );
    }
}
