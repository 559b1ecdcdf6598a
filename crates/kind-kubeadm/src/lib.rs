//! What makes a node a Kubernetes node: kubeadm documents and patches.
#![forbid(unsafe_code)]
