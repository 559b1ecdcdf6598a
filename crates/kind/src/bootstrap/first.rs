//! The request of the node that makes the cluster.

use kind_kubeadm::{
    CONFIG_PATH, ClusterSettings, Documents, NodeFacts, NodeSettings, START_PATH,
    control_plane_taints, first_kubeconfig, init_command, object_phase_commands,
};
use kind_node::load_balancer::KUBECONFIG;
use kind_node::request::{KubeadmPhase, Request, Step, StepId};

use super::step;
use super::steps::{
    ADMIN_CONFIG, KUBELET_FINALIZE, ask_runtime, forget_token_step, kubeadm_phase, kubectl_as,
    owned_words, prepare_step, read_step, run_step, run_titled, set_sysctls, wait_for_containerd,
};
use crate::manifest;
use crate::node::NODE_AGENT;
use crate::plan::UserManifest;

/// A node and its shares of the pod subnets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PodCidrAssignment<'a> {
    /// Its name.
    pub(crate) node: &'a str,
    /// Its shares.
    pub(crate) pod_cidrs: &'a [String],
}

/// Manifests that are applied to a new cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manifests {
    /// Pod network; `None` leaves it out.
    pub(crate) cni: Option<String>,
    /// Cluster DNS, for images that bring their own.
    pub(crate) dns: Option<String>,
    /// Addresses of Services; `None` leaves them to the pod network.
    pub(crate) services: Option<String>,
    /// Default storage; `None` leaves it out.
    pub(crate) storage: Option<String>,
    /// The user's.
    pub(crate) of_user: Vec<UserManifest>,
}

/// What the first node's request is made from.
pub(crate) struct First<'a> {
    /// The cluster.
    pub(crate) cluster: &'a ClusterSettings,
    /// The node.
    pub(crate) node: &'a NodeSettings,
    /// What is known of it.
    pub(crate) facts: &'a NodeFacts,
    /// Its documents.
    pub(crate) documents: &'a Documents,
    /// Pod addresses of all nodes, which may register early.
    pub(crate) pod_cidr_assignments: &'a [PodCidrAssignment<'a>],
    /// What is applied.
    pub(crate) manifests: &'a Manifests,
    /// Certificates and kubeconfigs stand in the node already.
    pub(crate) prepared: bool,
    /// etcd starts with other members, which only the node's start document names.
    pub(crate) etcd_of_several: bool,
    /// The image does not tell what runs its containers.
    pub(crate) asks_runtime: bool,
    /// The name of the bootstrap token, if nobody needs it once kubeadm has made it.
    pub(crate) unused_token: Option<&'a str>,
    /// Files to tell when they are written.
    pub(crate) reads: &'a [&'a str],
}

impl First<'_> {
    /// The request.
    ///
    /// # Errors
    /// The node's Kubernetes version is none.
    pub(crate) fn bootstrap_request(&self) -> Result<Request, kind_kubeadm::Error> {
        let kubeadm = if self.prepared && self.starts_by_phases() {
            self.by_phases()?
        } else {
            self.in_one()?
        };
        let mut sequences = vec![kubeadm, vec![assign_pod_cidrs(self.pod_cidr_assignments)]];
        sequences.extend(self.asks_runtime.then(|| vec![ask_runtime()]));
        let mut steps = vec![Step::Together { sequences }];
        let manifests = self.manifests.of_user.iter();
        steps.extend(manifests.map(|manifest| {
            let argv = kubectl_as(ADMIN_CONFIG, &["apply", "-f", "-"]);
            let title = step::manifest_title(&manifest.name);
            let text = Some(manifest.text.clone());
            run_titled(StepId::UserManifest, title, argv, text)
        }));
        Ok(Request { steps })
    }

    /// kubeadm does everything one after the other, then comes what needs the cluster.
    fn in_one(&self) -> Result<Vec<Step>, kind_kubeadm::Error> {
        let mut steps = vec![set_sysctls(), wait_for_containerd()];
        if self.etcd_of_several {
            steps.push(self.etcd_phase());
        }
        let argv = init_command(self.cluster, self.documents, self.facts);
        steps.push(run_step(step::INIT, argv, None));
        if !self.reads.is_empty() {
            // Other control planes will come, and a load balancer is in front of them.
            steps.extend(balancer_access());
        }
        steps.extend(self.tell_others());
        let mut together = self.apply_manifests(ADMIN_CONFIG);
        together.extend([make_service_account(), await_first_pods()]);
        together.extend(self.remove_taints_and_label()?.map(|step| vec![step]));
        together.extend(self.unused_token.map(|id| vec![forget_token_step(id)]));
        let mut skipped = self.facts.skip_phases.iter();
        if !self.prepared && skipped.any(|phase| phase == KUBELET_FINALIZE) {
            let argv = owned_words(&[NODE_AGENT, "finalize-kubelet"]);
            together.push(vec![run_step(StepId::FinalizeKubelet, argv, None)]);
        }
        steps.push(Step::Together {
            sequences: together,
        });
        Ok(steps)
    }

    /// Whether kubeadm's phases alone start the node: nobody wants any of them left out.
    fn starts_by_phases(&self) -> bool {
        let phases = ["control-plane", "kubelet-start"];
        (self.etcd_of_several || !self.documents.skips("etcd"))
            && !phases.iter().any(|phase| self.documents.skips(phase))
    }

    /// kubeadm's phases start the node; what they would do about certificates and kubeconfigs is done. As
    /// soon as the server takes anything, the objects of kubeadm are made beside everything else.
    fn by_phases(&self) -> Result<Vec<Step>, kind_kubeadm::Error> {
        let phase = |phase, words: &[&str]| kubeadm_phase(phase, words, CONFIG_PATH);
        let mut objects = vec![self.object_phases()];
        objects.extend(self.remove_taints_and_label()?);
        objects.extend(self.tell_others());
        objects.extend(self.unused_token.map(forget_token_step));
        let mut together = self.apply_manifests(first_kubeconfig(self.facts.version()));
        together.insert(0, objects);
        together.extend([make_service_account(), await_first_pods()]);
        let start_kubelet = phase(KubeadmPhase::KubeletStart, &["kubelet-start"]);
        let control_plane = phase(KubeadmPhase::ControlPlane, &["control-plane", "all"]);
        let mut steps = Vec::from(prepare_step(vec![self.etcd_phase(), control_plane]));
        steps.extend([
            start_kubelet,
            run_step(
                StepId::ApiServer,
                owned_words(&[NODE_AGENT, "await-server"]),
                None,
            ),
            Step::Together {
                sequences: together,
            },
        ]);
        Ok(steps)
    }

    /// kubeadm asks a server five times a second at most, each run of it for itself.
    fn object_phases(&self) -> Step {
        let phases = object_phase_commands(self.cluster, self.documents, self.facts).into_iter();
        let step = |(phase, argv)| vec![run_step(step::object_phase_step(phase), argv, None)];
        Step::Together {
            sequences: phases.map(step).collect(),
        }
    }

    /// Only the node's start document names other members.
    fn etcd_phase(&self) -> Step {
        let config = if self.etcd_of_several {
            START_PATH
        } else {
            CONFIG_PATH
        };
        kubeadm_phase(KubeadmPhase::Etcd, &["etcd", "local"], config)
    }

    /// What others wait for once the node serves.
    fn tell_others(&self) -> impl Iterator<Item = Step> {
        let shared = self.reads.iter();
        let shared = shared.map(|path| read_step(StepId::SharedFile, path));
        let reads = [read_step(StepId::AdminKubeconfig, ADMIN_CONFIG)].into_iter();
        let serves = Step::Mark { id: StepId::Serves };
        reads.chain(shared).chain([serves])
    }

    /// What waits for nothing but the API server. The image's manifests are not validated: kubectl would ask
    /// the server for its whole schema while that still has better things to do. Most need no kubectl at all.
    fn apply_manifests(&self, kubeconfig: &str) -> Vec<Vec<Step>> {
        let manifests = self.manifests;
        [
            (StepId::Storage, "apply", &manifests.storage),
            (StepId::PodNetwork, "create", &manifests.cni),
            (StepId::ClusterDns, "apply", &manifests.dns),
            (StepId::ServiceAddresses, "apply", &manifests.services),
        ]
        .into_iter()
        .filter_map(|(id, verb, manifest)| {
            let manifest = manifest.as_deref()?;
            let (argv, input) = match manifest::manifest_objects(manifest) {
                Some(objects) => (owned_words(&[NODE_AGENT, "make-objects", verb]), objects),
                None => {
                    let arguments = [verb, "--validate=false", "-f", "-"];
                    (kubectl_as(kubeconfig, &arguments), manifest.to_owned())
                }
            };
            Some(vec![run_step(id, argv, Some(input))])
        })
        .collect()
    }

    /// Lets pods run on the only node, and load balancers send it traffic. kubeadm must have marked it.
    fn remove_taints_and_label(&self) -> Result<Option<Step>, kind_kubeadm::Error> {
        if self.pod_cidr_assignments.len() > 1 {
            return Ok(None);
        }
        let mut argv = owned_words(&[NODE_AGENT, "remove-marks"]);
        if self.node.taints.is_none() {
            argv.extend(owned_words(control_plane_taints(
                self.facts.kubernetes_version(),
            )?));
        }
        Ok(Some(run_step(StepId::TaintsAndLabels, argv, None)))
    }
}

/// Where certificates are kubeadm's, it makes the load balancer's kubeconfig too, by which that follows control
/// planes that come and go. A kubeadm that cannot leaves it as it is.
fn balancer_access() -> [Step; 2] {
    let script = format!(
        "umask 077; kubeadm kubeconfig user --client-name=system:kube-proxy --config={CONFIG_PATH} \
         >{KUBECONFIG} || : >{KUBECONFIG}"
    );
    let argv = owned_words(&["/bin/sh", "-c", &script]);
    [
        run_step(StepId::MakeBalancerKubeconfig, argv, None),
        read_step(StepId::BalancerKubeconfig, KUBECONFIG),
    ]
}

/// Whoever creates a cluster wants to run pods in it next.
fn make_service_account() -> Vec<Step> {
    let argv = owned_words(&[NODE_AGENT, "make-account"]);
    vec![run_step(StepId::DefaultServiceAccount, argv, None)]
}

/// Whoever creates a cluster looks at its pods next.
fn await_first_pods() -> Vec<Step> {
    let argv = owned_words(&[NODE_AGENT, "await-pods"]);
    vec![run_step(StepId::FirstPods, argv, None)]
}

/// Waits beside kubeadm for nodes to be registered, and gives them their pod addresses at once.
fn assign_pod_cidrs(pod_cidr_assignments: &[PodCidrAssignment<'_>]) -> Step {
    let mut argv = owned_words(&[NODE_AGENT, "assign-pod-cidrs"]);
    let share =
        |share: &PodCidrAssignment<'_>| format!("{}={}", share.node, share.pod_cidrs.join(","));
    argv.extend(pod_cidr_assignments.iter().map(share));
    run_step(StepId::PodCidrs, argv, None)
}
