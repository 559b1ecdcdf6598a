//! The programs of a node that have logs.

use std::fmt;

/// A program by its name: that of its container, or of its unit without `.service`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component<'a>(&'a str);

impl<'a> Component<'a> {
    /// The program of that name.
    pub fn new(name: &'a str) -> Self {
        Self(name)
    }

    /// Its name.
    pub fn name(self) -> &'a str {
        self.0
    }

    /// Where a cluster's configuration sets its flags, for people; `None` if nobody sets any.
    pub(crate) fn settings(self) -> Option<&'static str> {
        match self.0 {
            "kube-apiserver" => Some("`apiServer.extraArgs` of ClusterConfiguration"),
            "kube-controller-manager" => {
                Some("`controllerManager.extraArgs` of ClusterConfiguration")
            }
            "kube-scheduler" => Some("`scheduler.extraArgs` of ClusterConfiguration"),
            "etcd" => Some("`etcd.local.extraArgs` of ClusterConfiguration"),
            "kubelet" => Some("KubeletConfiguration, or `kubeletExtraArgs` of `nodeRegistration`,"),
            "kube-proxy" => Some("KubeProxyConfiguration"),
            "containerd" => Some("`containerdConfigPatches`"),
            _ => None,
        }
    }
}

impl fmt::Display for Component<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}
