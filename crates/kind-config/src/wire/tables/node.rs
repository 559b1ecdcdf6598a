//! Nodes.

use super::fields::table;
use crate::model::{Mount, Node, PortMapping, Resources, Taint};

table!(Node, "Node", "A node.", {
    V1alpha4 "role" => role, "What the node does.";
    V1alpha4 "image" => image, "Image of the node; the default of this release if not set.";
    V1alpha4 "labels" => labels, "Labels of the Kubernetes node.";
    V1beta1 "taints" => taints,
        "Taints of the Kubernetes node instead of those of its role; an empty list lets every pod run on it.";
    V1beta1 "env" => env, "Environment of the node's first process; it hands proxy settings on to containerd and the kubelet.";
    V1alpha4 "extraMounts" => extra_mounts, "Host paths to show in the node.";
    V1alpha4 "extraPortMappings" => extra_port_mappings, "Ports of the node to publish on the host.";
    V1beta1 "resources" => resources, "How much of the host the node may use; the kubelet takes it for the node's capacity.";
    V1alpha4 "kubeadmConfigPatches" => kubeadm_config_patches,
        "As the cluster's, for this node only and after the cluster's.";
    V1alpha4 "kubeadmConfigPatchesJSON6902" => kubeadm_config_patches_json6902,
        "As the cluster's, for this node only and after the cluster's.";
});

table!(Resources, "Resources", "How much of the host a node may use.", {
    V1beta1 "cpus" => cpus,
        "CPUs, for example 1.5. The kubelet counts whole ones and says 2 of that; all of the host's by default.",
        {"exclusiveMinimum": 0, "pattern": "^[0-9]*[.]?[0-9]*$"};
    V1beta1 "memory" => memory,
        "Memory as a Kubernetes quantity, for example 2Gi; all of the host's by default.",
        {"pattern": "^([0-9]*[.]?[0-9]*([KMGTPE]i|[mkMGTPE]|[eE][0-9]+)?)?$"};
});

table!(Mount, "MountAlias", "A host path shown in a node.", {
    V1alpha4 "hostPath" => host_path,
        "Path on the host; a relative one is relative to the current directory.";
    V1alpha4 "containerPath" => container_path, "Path in the node.";
    V1alpha4 "readOnly" => read_only, "No writes.";
    V1alpha4 "selinuxRelabel" => selinux_relabel, "Relabels the files for SELinux.";
    V1alpha4 "propagation" => propagation, "How mounts made later travel between host and node.";
});

table!(PortMapping, "PortMappingAlias", "A port of a node published on the host.", {
    V1alpha4 "containerPort" => container_port, "Port in the node.", {"minimum": -1, "maximum": 65535};
    V1alpha4 "hostPort" => host_port,
        "Port on the host: 0 for one that kind picks, -1 for one that the engine picks.",
        {"minimum": -1, "maximum": 65535};
    V1alpha4 "listenAddress" => listen_address, "Address on the host; every address by default.";
    V1alpha4 "protocol" => protocol, "Transport protocol; TCP by default.";
});

table!(Taint, "Taint", "Keeps pods away from a node that do not tolerate it.", {
    V1beta1 "key" => key, "The taint's key.", {"minLength": 1};
    V1beta1 "value" => value, "The taint's value.";
    V1beta1 "effect" => effect, "What happens to pods that do not tolerate the taint.";
});
