//! What commands give.

use serde::Serialize;

use super::Document;

/// Makes each of these a document, with JSON names in camel case.
macro_rules! documents {
    ($($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Debug, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            $($(#[$field_about])* pub(crate) $field: $type,)*
        }

        impl Document for $name {
            const KIND: &'static str = stringify!($name);
        }
    )*};
}

documents! {
    /// Of `get clusters`.
    ClusterList {
        /// Every cluster, sorted by name.
        clusters: Vec<Cluster>,
    }

    /// Of `explain CODE`.
    Explanation {
        /// The code, for example `KIND-CLUSTER-EXISTS`, or the id of a cause, for example `unknown-flag`.
        topic: String,
        /// What it stands for, in one line.
        title: String,
        /// What it means.
        meaning: String,
        /// When it appears.
        appears: String,
        /// What to do, in general.
        remedy: String,
        /// A message as it may read.
        example: String,
    }

    /// Of `explain`.
    ExplanationList {
        /// Every code, cause and other topic.
        explanations: Vec<Topic>,
    }

    /// Of `get nodes`.
    NodeList {
        /// Nodes, newest first.
        nodes: Vec<Node>,
    }

    /// Of `get kubeconfig`.
    Kubeconfig {
        /// The cluster.
        cluster: String,
        /// The kubeconfig as YAML text.
        kubeconfig: String,
    }

    /// Of `config convert` and `config defaults`.
    Config {
        /// Version of the format.
        version: String,
        /// The configuration as YAML text.
        text: String,
    }

    /// Of `config validate`.
    ValidConfig {
        /// The file.
        file: String,
        /// Name of the cluster.
        cluster: String,
        /// How many nodes it has, without a load balancer.
        nodes: usize,
    }

    /// Of `create cluster`.
    CreatedCluster {
        /// The cluster.
        name: String,
        /// The context that kubectl uses now.
        context: String,
        /// With `--timings`: what ran when in which node, and what it waited for.
        #[serde(skip_serializing_if = "Option::is_none")]
        timings: Option<Vec<kind::Span>>,
    }

    /// Of `delete cluster`.
    DeletedCluster {
        /// The cluster.
        name: String,
    }

    /// Of `start cluster`.
    StartedCluster {
        /// The cluster.
        name: String,
        /// Nodes that did not run before.
        nodes: Vec<String>,
        /// With `--timings`: what ran when in which node, and what it waited for.
        #[serde(skip_serializing_if = "Option::is_none")]
        timings: Option<Vec<kind::Span>>,
    }

    /// Of `stop cluster`.
    StoppedCluster {
        /// The cluster.
        name: String,
        /// Nodes that ran before.
        nodes: Vec<String>,
    }

    /// Of `delete clusters`.
    DeletedClusters {
        /// Clusters that are gone.
        deleted: Vec<String>,
        /// Clusters that could not be deleted.
        failed: Vec<FailedCluster>,
    }

    /// Of `export kubeconfig`.
    ExportedKubeconfig {
        /// The cluster.
        cluster: String,
        /// The context that kubectl uses now.
        context: String,
    }

    /// Of `export logs`.
    ExportedLogs {
        /// The cluster.
        cluster: String,
        /// Where the logs are.
        directory: String,
    }

    /// Of `load docker-image` and `load image-archive`.
    LoadedImages {
        /// The cluster.
        cluster: String,
        /// The images, or the archives, that its nodes have now.
        loaded: Vec<String>,
        /// Each image on each node, and what had to be done.
        images: Vec<kind::LoadedImage>,
    }

    /// Of `prune`.
    PrunedItems {
        /// Nothing was removed: this is what would be.
        dry_run: bool,
        /// What was removed.
        items: Vec<PrunedItem>,
        /// Bytes of all of it, as far as they are known.
        bytes: u64,
    }

    /// Of `build node-image`.
    BuiltNodeImage {
        /// Its name.
        image: String,
    }

    /// Of `version` and `--version`.
    Version {
        /// The version, for example `0.33.0`.
        version: String,
        /// The compiler that it was made with.
        compiler: String,
        /// The operating system that it is for, for example `linux`.
        os: String,
        /// The architecture that it is for, for example `amd64`.
        architecture: String,
    }

    /// Of `completion`.
    CompletionScript {
        /// The shell.
        shell: String,
        /// The script.
        script: String,
    }

    /// Of `help` and `--help`.
    Help {
        /// The text.
        text: String,
    }
}

/// A cluster in a list.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    /// Its name.
    pub(crate) name: String,
}

/// A node in a list.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: String,
    /// The cluster it belongs to.
    pub(crate) cluster: String,
    /// `control-plane`, `worker` or `external-load-balancer`.
    pub(crate) role: String,
    /// The image it was made from.
    pub(crate) image: String,
    /// Whether it runs.
    pub(crate) running: bool,
}

/// One thing that can be explained.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Topic {
    /// The code, or the id of a cause.
    pub(crate) topic: String,
    /// What it stands for, in one line.
    pub(crate) title: String,
}

impl From<&kind::Explanation> for Topic {
    fn from(explanation: &kind::Explanation) -> Self {
        Self {
            topic: explanation.topic.clone(),
            title: explanation.title.clone(),
        }
    }
}

impl From<&kind::Explanation> for Explanation {
    fn from(explanation: &kind::Explanation) -> Self {
        let kind::Explanation {
            topic,
            title,
            meaning,
            appears,
            remedy,
            example,
            ..
        } = explanation.clone();
        Self {
            topic,
            title,
            meaning,
            appears,
            remedy,
            example,
        }
    }
}

/// A cluster that could not be deleted.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailedCluster {
    /// Its name.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

impl From<kind::Node> for Node {
    fn from(node: kind::Node) -> Self {
        Self {
            name: node.name,
            cluster: node.cluster,
            role: node.role,
            image: node.image,
            running: node.running,
        }
    }
}

/// Something that was removed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct PrunedItem {
    /// What it is: `image`, `preparedImages`, `nodeProgram`, `buildCache` or `network`.
    pub(crate) r#type: String,
    /// Its name.
    pub(crate) name: String,
    /// Bytes on disk; 0 where the engine does not tell.
    pub(crate) bytes: u64,
}
