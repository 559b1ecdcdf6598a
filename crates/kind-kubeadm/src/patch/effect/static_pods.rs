//! A kubelet that looks for the control plane where kubeadm does not write it.

use super::candidate::Candidate;

/// The only directory that kubeadm writes static pods to.
const MANIFESTS: &str = "/etc/kubernetes/manifests";

pub(super) fn misses_because(candidate: &Candidate) -> Option<String> {
    let is_kubelet = candidate.target.kind == "KubeletConfiguration";
    let path = candidate.value(&["staticPodPath"])?.as_str()?;
    (is_kubelet && path.trim_end_matches('/') != MANIFESTS).then(|| {
        format!("no control plane starts: kubeadm writes its pods to {MANIFESTS} only, and the kubelet looks in {path:?}")
    })
}
