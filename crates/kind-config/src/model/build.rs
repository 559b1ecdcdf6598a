//! Ways to make a configuration in a program. Whatever has no method here is a public field.

use super::{
    Audit, Cluster, FileOrText, Mirror, Mount, Node, PortMapping, Protocol, Registry, Role, Taint,
    TaintEffect,
};

impl Cluster {
    /// A cluster of that name with nothing else set.
    ///
    /// ```
    /// use kind_config::{Cluster, Mount, Node, PortMapping};
    ///
    /// let mut cluster = Cluster::named("demo")
    ///     .node(Node::control_plane().port(PortMapping::new(80, 8080)))
    ///     .node(Node::worker().label("tier", "backend").mount(Mount::new("/src", "/src").read_only()));
    /// cluster.set_defaults();
    /// cluster.validate()?;
    /// assert_eq!(cluster.node_names(), ["demo-control-plane", "demo-worker"]);
    /// # Ok::<(), kind_config::Error>(())
    /// ```
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds a node.
    pub fn node(mut self, node: Node) -> Self {
        self.nodes.push(node);
        self
    }

    /// Sets a feature gate of every component.
    pub fn feature_gate(mut self, name: impl Into<String>, on: bool) -> Self {
        self.feature_gates.insert(name.into(), on);
        self
    }

    /// Adds a registry.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registries.push(registry);
        self
    }

    /// Adds a YAML stream of merge patches for the kubeadm documents of every node.
    pub fn kubeadm_patch(mut self, patch: impl Into<String>) -> Self {
        self.kubeadm_config_patches.push(patch.into());
        self
    }

    /// Adds a manifest to apply to the new cluster.
    pub fn manifest(mut self, manifest: FileOrText) -> Self {
        self.manifests.push(manifest);
        self
    }

    /// Records requests to the API server.
    pub fn audit(mut self, audit: Audit) -> Self {
        self.audit = Some(audit);
        self
    }
}

impl Node {
    /// A control-plane node.
    pub fn control_plane() -> Self {
        Self::default()
    }

    /// A worker node.
    pub fn worker() -> Self {
        Self {
            role: Role::Worker,
            ..Self::default()
        }
    }

    /// Sets the image.
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = image.into();
        self
    }

    /// Sets a label of the Kubernetes node.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Adds a taint of the Kubernetes node; those of its role do not apply any more.
    pub fn taint(mut self, taint: Taint) -> Self {
        self.taints.get_or_insert_default().push(taint);
        self
    }

    /// Sets a variable of the node's environment.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Shows a host path in the node.
    pub fn mount(mut self, mount: Mount) -> Self {
        self.extra_mounts.push(mount);
        self
    }

    /// Publishes a port of the node on the host.
    pub fn port(mut self, port: PortMapping) -> Self {
        self.extra_port_mappings.push(port);
        self
    }

    /// Adds a YAML stream of merge patches for the node's kubeadm documents.
    pub fn kubeadm_patch(mut self, patch: impl Into<String>) -> Self {
        self.kubeadm_config_patches.push(patch.into());
        self
    }
}

impl Mount {
    /// Shows a path of the host at a path in the node.
    pub fn new(host_path: impl Into<String>, container_path: impl Into<String>) -> Self {
        Self {
            host_path: host_path.into(),
            container_path: container_path.into(),
            ..Self::default()
        }
    }

    /// Forbids writes.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

impl PortMapping {
    /// Publishes a TCP port of the node at a port of the host; 0 for one that kind picks.
    pub fn new(container_port: u16, host_port: u16) -> Self {
        Self {
            container_port: container_port.into(),
            host_port: host_port.into(),
            ..Self::default()
        }
    }

    /// Listens on one address of the host only.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen_address = address.into();
        self
    }

    /// Sets the transport protocol.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }
}

impl Taint {
    /// A taint.
    pub fn new(key: impl Into<String>, value: impl Into<String>, effect: TaintEffect) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            effect,
        }
    }
}

impl Registry {
    /// A registry as image references name it.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            mirrors: Vec::new(),
        }
    }

    /// Adds a server to ask instead.
    pub fn mirror(mut self, mirror: Mirror) -> Self {
        self.mirrors.push(mirror);
        self
    }
}

impl Mirror {
    /// A server at a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ..Self::default()
        }
    }
}

impl FileOrText {
    /// Content of a file.
    pub fn file(path: impl Into<String>) -> Self {
        Self {
            file: path.into(),
            text: String::new(),
        }
    }

    /// Content that is at hand.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            file: String::new(),
            text: text.into(),
        }
    }
}
