//! The top level, networks, and what runs beside Kubernetes.

use super::fields::table;
use crate::model::{AddOns, Audit, Cluster, FileOrText, JsonPatch, Networking};

table!(Cluster, "Cluster", "A cluster.", header: ["kind", "apiVersion"], {
    V1alpha4 "name" => name, "Name of the cluster; `kind` by default.", {"pattern": "^[a-z0-9.-]*$"};
    V1alpha4 "networking" => networking, "Networks of pods, services and the API server.";
    V1alpha4 "featureGates" => feature_gates, "Kubernetes feature gates for every component.";
    V1alpha4 "runtimeConfig" => runtime_config, "The API server's `--runtime-config`.";
    V1beta1 "registries" => registries, "Where images of certain registries are pulled from.";
    V1beta1 "certificateAuthorities" => certificate_authorities,
        "Certificates (PEM) that every node trusts, for example a company's proxy.";
    V1beta1 "audit" => audit, "Records requests to the API server; `{}` records the metadata of every request.";
    V1beta1 "addOns" => add_ons, "What is installed beside Kubernetes itself.";
    V1beta1 "manifests" => manifests, "Applied to the new cluster, in this order.";
    V1alpha4 "nodes" => nodes, "The nodes; one control-plane node by default.";
    V1alpha4 "kubeadmConfigPatches" => kubeadm_config_patches,
        "YAML streams of merge patches for the kubeadm documents of every node.";
    V1alpha4 "kubeadmConfigPatchesJSON6902" => kubeadm_config_patches_json6902,
        "JSON patches (RFC 6902) for the kubeadm documents of every node.";
    V1alpha4 "containerdConfigPatches" => containerd_config_patches,
        "TOML merge patches for containerd's configuration on every node.";
    V1alpha4 "containerdConfigPatchesJSON6902" => containerd_config_patches_json6902,
        "JSON patches (RFC 6902), as JSON or YAML text, for containerd's configuration on every node.";
});

table!(Networking, "Networking", "Networks of a cluster.", {
    V1alpha4 "ipFamily" => ip_family, "Address families of pods and services.";
    V1alpha4 "apiServerPort" => api_server_port,
        "Port of the API server on the host: 0 for one that kind picks, -1 for one that the engine picks.",
        {"minimum": -1, "maximum": 65535};
    V1alpha4 "apiServerAddress" => api_server_address,
        "Address of the API server on the host; a loopback address by default.";
    V1beta1 "apiServerCertSANs" => api_server_cert_sans,
        "More names and addresses for the API server's certificate.";
    V1alpha4 "podSubnet" => pod_subnet, "Addresses of pods: one CIDR, or two separated by a comma.";
    V1alpha4 "serviceSubnet" => service_subnet,
        "Addresses of services: one CIDR, or two separated by a comma. The first one's family is the cluster's primary family.";
    V1alpha4 "disableDefaultCNI" => disable_default_cni, "Leaves out the network add-on.";
    V1alpha4 "kubeProxyMode" => kube_proxy_mode,
        "How service addresses are made to work; nftables needs Kubernetes 1.31.";
    V1alpha4 "dnsSearch" => dns_search,
        "Search domains of the nodes: the host's if not set, none at all with an empty list.";
    V1beta1 "disableHostProxy" => disable_host_proxy,
        "Leaves the host's proxies (HTTP_PROXY and the like) out of nodes, and those of the engine's client.";
});

table!(JsonPatch, "PatchJSON6902", "A JSON patch (RFC 6902) and the documents it is for.", {
    V1alpha4 "group" => group, "API group of the documents.";
    V1alpha4 "version" => version, "API version of the documents, without the group.";
    V1alpha4 "kind" => kind, "Kind of the documents.";
    V1alpha4 "name" => name, "Has no effect; kind's documentation once named it.";
    V1alpha4 "namespace" => namespace, "Has no effect; kind's documentation once named it.";
    V1alpha4 "patch" => patch, "The operations, as YAML or JSON text.";
});

table!(Audit, "Audit", "Records of requests to the API server.", {
    V1beta1 "level" => level, "How much of every request is recorded; Metadata by default.";
    V1beta1 "policy" => policy, "A policy (kind Policy of audit.k8s.io/v1) instead of one level for all.";
});

table!(AddOns, "AddOns", "What is installed beside Kubernetes itself.", {
    V1beta1 "dns" => dns, "Cluster DNS.";
    V1beta1 "storage" => storage, "The default storage class and its provisioner.";
});

table!(FileOrText, "FileOrText", "Content that stands here or in a file.", {
    V1beta1 "file" => file, "A file of the host; a relative path is relative to the current directory.";
    V1beta1 "text" => text, "The content itself.";
});
