//! A dry run in words.

use std::fmt;

use super::{DryNode, DryRun};

impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.plan;
        writeln!(f, "cluster {}", plan.cluster)?;
        writeln!(f, "  engine {}", self.engine)?;
        writeln!(f, "  network {} {}", plan.network, self.subnets.join(" "))?;
        for image in plan.images() {
            writeln!(f, "  image {image}")?;
        }
        writeln!(f, "  endpoint {}", plan.endpoint)?;
        writeln!(f, "  bootstrap {}", plan.bootstrap)?;
        let nodes = plan.nodes.iter();
        let nodes = nodes.filter_map(|node| Some((node, self.nodes.get(&node.name)?)));
        for (node, known) in nodes.clone() {
            write!(f, "{node}{known}")?;
        }
        for (node, known) in nodes {
            for (path, text) in &known.files {
                write!(f, "\n==> {}:{path} <==\n{text}", node.name)?;
            }
        }
        write!(f, "\n==> kubeconfig <==\n{}", self.kubeconfig)
    }
}

/// What is known of the node beside its plan, without the files' contents.
impl fmt::Display for DryNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = &self.kubernetes_version {
            writeln!(f, "  kubernetes {version}")?;
        }
        writeln!(f, "  address {}", self.ipv4)?;
        writeln!(f, "  address {}", self.ipv6)?;
        for path in self.files.keys() {
            writeln!(f, "  file {path}")?;
        }
        for path in &self.unknown_files {
            writeln!(f, "  file {path} (the image's, with the patches)")?;
        }
        match self.secret_files.len() {
            0 => Ok(()),
            count => writeln!(
                f,
                "  {count} keys, certificates and kubeconfigs, new each time"
            ),
        }
    }
}
