//! The two clusters of the tests.

use std::path::Path;

/// A cluster as it is wanted.
pub(crate) struct Shape {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its nodes, control planes first, without the load balancer.
    pub(crate) nodes: &'static [&'static str],
}

/// One control plane and two workers. The last worker keeps the kubelet's files on a small disk; whoever
/// brings a directory of kubeadm's has all nodes join by `kubeadm join`.
pub(crate) const FEW: Shape = Shape {
    name: "few",
    nodes: &["few-control-plane", "few-worker", "few-worker2"],
};

/// Three control planes and three workers.
pub(crate) const MANY: Shape = Shape {
    name: "many",
    nodes: &[
        "many-control-plane",
        "many-control-plane2",
        "many-control-plane3",
        "many-worker",
        "many-worker2",
        "many-worker3",
    ],
};

/// The load balancer of the many.
pub(crate) const BALANCER: &str = "many-external-load-balancer";

/// The configuration of the few, with the directory of the small disk.
pub(crate) fn few(disk: &Path) -> String {
    format!(
        "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: few
nodes:
- role: control-plane
- role: worker
- role: worker
  extraMounts: [{{hostPath: {}, containerPath: /var/lib/kubelet}}]
  kubeadmConfigPatches:
  - |
    kind: KubeletConfiguration
    maxPods: 55
    evictionHard: {{nodefs.available: 30%}}
    evictionPressureTransitionPeriod: 5s
",
        disk.display()
    )
}

/// The configuration of the many.
pub(crate) const MANY_CONFIG: &str = "\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: many
nodes:
- role: control-plane
- role: control-plane
- role: control-plane
- role: worker
- role: worker
  labels: {tier: second}
  kubeadmConfigPatches:
  - |
    kind: KubeletConfiguration
    maxPods: 77
- role: worker
  kubeadmConfigPatches:
  - |
    kind: JoinConfiguration
    nodeRegistration:
      taints: [{key: own, value: \"yes\", effect: PreferNoSchedule}]
";
