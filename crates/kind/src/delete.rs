//! Deleting a cluster.

use crate::abandon::{SHORT_GRACE, run_abandonable};
use crate::error::{Cause, error_chain};
use crate::event::{Event, Listener};
use crate::leftover::Leftover;
use crate::{CancelToken, Code, Error, KubeconfigFiles, Provider, Result, kubeconfig};

impl Provider {
    /// Removes a cluster and its entry in every kubeconfig file, if there are any. A cluster that does not
    /// exist is no error.
    ///
    /// # Errors
    /// Nodes or entries that cannot be removed; everything else is removed all the same, unless `cancel` is cancelled.
    pub fn delete(
        &self,
        cluster: &str,
        files: Option<&KubeconfigFiles>,
        cancel: &CancelToken,
        listener: Listener<'_>,
    ) -> Result<()> {
        let (provider, cluster) = (self.share(), cluster.to_owned());
        let (files, token) = (files.cloned(), cancel.clone());
        let work = move |tell: Listener<'_>| {
            delete_cluster(&provider, &cluster, files.as_ref(), &token, tell)
        };
        run_abandonable(work, SHORT_GRACE, cancel, listener)?
    }
}

fn delete_cluster(
    provider: &Provider,
    cluster: &str,
    files: Option<&KubeconfigFiles>,
    cancel: &CancelToken,
    listener: Listener<'_>,
) -> Result<()> {
    let nodes = provider.list_nodes(Some(cluster))?;
    let _noted = cancel.note_leftover(Leftover::Remains {
        cluster: cluster.to_owned(),
    });
    let mut errors = Vec::new();
    let removed = files.map(|files| kubeconfig::remove_everywhere(files, cluster, cancel));
    cancel.check()?;
    if let Some(Err(error)) = removed {
        errors.push(Error::Kubeconfig {
            action: "failed to update kubeconfig".to_owned(),
            source: Cause::new(error.code(), error_chain(&error)).with_remedy(error.remedy()),
        });
    }
    let names: Vec<_> = nodes.into_iter().map(|node| node.name).collect();
    // None too: a creation that was cut short may have left what comes before its first node.
    match provider.engine().remove(&names) {
        Ok(()) if names.is_empty() => {}
        Ok(()) => listener(Event::NodesDeleted { nodes: names }),
        Err(error) => {
            errors.push(Error::engine(Code::NodeDelete, "failed to delete nodes")(
                error,
            ));
        }
    }
    Error::collect(errors)
}
