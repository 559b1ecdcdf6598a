//! A plan in words.

use std::fmt;

use super::{NodePlan, Plan};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cluster {}", self.cluster)?;
        writeln!(f, "  network {}", self.network)?;
        writeln!(f, "  endpoint {}", self.endpoint)?;
        writeln!(f, "  bootstrap {}", self.bootstrap)?;
        self.nodes.iter().try_for_each(|node| node.fmt(f))
    }
}

impl fmt::Display for NodePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "node {}", self.name)?;
        writeln!(f, "  role {}", self.role)?;
        writeln!(f, "  image {}", self.image)?;
        for (key, value) in &self.labels {
            writeln!(f, "  label {key}={value}")?;
        }
        for (key, value) in &self.env {
            writeln!(f, "  env {key}={value}")?;
        }
        self.host.fmt(f)?;
        for cidr in &self.pod_cidrs {
            writeln!(f, "  pods {cidr}")?;
        }
        if self.ipv6 {
            writeln!(f, "  ipv6")?;
        }
        Ok(())
    }
}
