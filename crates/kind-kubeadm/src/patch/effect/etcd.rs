//! Arguments that etcd has no more.

use kind_config::version::Version;

use super::arguments::named_arguments;
use super::candidate::Candidate;
use super::level::Level;

/// etcd 3.7 has no `--experimental-*` flags any more (etcd-io/etcd#19959); it comes with Kubernetes 1.37
/// (kubernetes/kubernetes#132838). An image of the user's own may be older.
pub(super) fn stops_because(candidate: &Candidate, level: &Level) -> Option<String> {
    let first = Version::new(1, 37, 0);
    let versions = level.versions.as_ref()?;
    let etcd = candidate.value(&["etcd", "local"])?;
    if !versions.iter().any(|version| *version >= first) || etcd.get("imageTag").is_some() {
        return None;
    }
    let (name, _) = named_arguments(etcd.get("extraArgs")?)
        .into_iter()
        .find(|(name, _)| name.starts_with("experimental-"))?;
    Some(format!(
        "etcd of Kubernetes 1.37 and later has no flag --{name}, and does not start with it"
    ))
}
