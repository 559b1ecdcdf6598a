//! Deleting a cluster.

use crate::error::Cause;
use crate::event::{Event, Listener};
use crate::{Code, Error, KubeconfigFiles, Provider, Result, kubeconfig};

impl Provider {
    /// Removes a cluster and its entry in every kubeconfig file, if there are any. A cluster that does not
    /// exist is no error.
    ///
    /// # Errors
    /// Nodes or entries that cannot be removed; everything else is removed all the same.
    pub fn delete(
        &self,
        cluster: &str,
        files: Option<&KubeconfigFiles>,
        listener: Listener<'_>,
    ) -> Result<()> {
        let nodes = self.list(Some(cluster))?;
        let mut errors = Vec::new();
        let removed = files.map(|files| kubeconfig::remove_everywhere(files, cluster));
        if let Some(Err(error)) = removed {
            errors.push(Error::Kubeconfig {
                action: "failed to update kubeconfig".to_owned(),
                source: Cause::new(error.code(), crate::error::error_chain(&error))
                    .with_remedy(error.remedy()),
            });
        }
        let names: Vec<_> = nodes.into_iter().map(|node| node.name).collect();
        if !names.is_empty() {
            match self.engine().remove(&names) {
                Ok(()) => listener(Event::NodesDeleted { nodes: names }),
                Err(error) => errors
                    .push(Error::engine(Code::NodeDelete, "failed to delete nodes")(
                        error,
                    )),
            }
        }
        Error::collect(errors)
    }
}
