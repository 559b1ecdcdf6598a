//! Manifests of the form that published node images have.

use std::collections::BTreeMap;

/// The manifests of the image, by their names.
pub(crate) fn manifests() -> BTreeMap<String, String> {
    let network = CNI.replace("VERSION", env!("CARGO_PKG_VERSION"));
    [
        ("default-cni.yaml", network.as_str()),
        ("default-storage.yaml", STORAGE),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}

/// A pod network that is told where pods live and where the API server is.
const CNI: &str = "\
# would you kindly template this file
# would you kindly patch this file
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: kindnet
  namespace: kube-system
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kindnet
rules:
  - apiGroups: ['']
    resources: [nodes, pods, namespaces]
    verbs: [list, watch]
  - apiGroups: [networking.k8s.io]
    resources: [networkpolicies]
    verbs: [list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: kindnet
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kindnet}
subjects: [{kind: ServiceAccount, name: kindnet, namespace: kube-system}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kindnet
  namespace: kube-system
  labels: {from: the-image}
spec:
  selector: {matchLabels: {app: kindnet}}
  template:
    metadata: {labels: {app: kindnet}}
    spec:
      hostNetwork: true
      serviceAccountName: kindnet
      tolerations: [{operator: Exists}]
      containers:
      - name: kindnet-cni
        image: docker.io/kindest/kind-node:vVERSION
        args: [network]
        env:
        - name: HOST_IP
          valueFrom: {fieldRef: {fieldPath: status.hostIP}}
        - name: POD_SUBNET
          value: {{ .PodSubnet }}
        securityContext: {capabilities: {add: [NET_RAW, NET_ADMIN]}}
        volumeMounts: [{name: cni, mountPath: /etc/cni/net.d}]
      volumes:
      - {name: cni, hostPath: {path: /etc/cni/net.d}}
";

/// Storage that is told nothing: the marks of a pod network's manifest mean nothing here.
const STORAGE: &str = "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  labels: {from: the-image}
  annotations: {storageclass.kubernetes.io/is-default-class: 'true'}
provisioner: rancher.io/local-path
volumeBindingMode: WaitForFirstConsumer
";
