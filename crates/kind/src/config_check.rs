//! Checking a configuration without an engine and without making anything.

use kind_config::{ApiVersion, Cluster, Source};

use crate::create::{check_cluster, explain_error};
use crate::event::Listener;
use crate::{CreateCluster, KubeconfigFiles, Result};

/// Checks a configuration as [`Provider::create`](crate::Provider::create) does before it makes
/// anything: its form, its values, its patches, and the files that it names. Warnings go to the
/// listener. Returns the configuration with its defaults and with the content of those files.
///
/// # Errors
/// Every problem, with the lines at fault in [`Error::remedy`](crate::Error::remedy).
pub fn check_config(source: &Source, listener: Listener<'_>) -> Result<Cluster> {
    let nowhere = KubeconfigFiles::one("");
    let options = CreateCluster::new(nowhere).config_source(source.clone())?;
    let mut cluster = options.resolve();
    check_cluster(&options, &mut cluster, listener)?;
    Ok(cluster)
}

/// Rewrites a configuration for another version of the format, as [`kind_config::convert`] does.
///
/// # Errors
/// Every problem, or every place that the version cannot say, with the lines at fault.
pub fn convert_config(source: &Source, to: ApiVersion) -> Result<String> {
    kind_config::convert(source.text(), to).map_err(|error| explain_error(source, error))
}

/// Writes a configuration with all its defaults, in a version or in its own.
///
/// # Errors
/// As [`convert_config`].
pub fn complete_config(source: &Source, to: Option<ApiVersion>) -> Result<(ApiVersion, String)> {
    let text = || {
        let mut cluster = source.parse()?;
        let version = match to {
            Some(version) => version,
            None => source.version()?,
        };
        cluster.set_defaults();
        Ok((version, cluster.to_complete_yaml(version)?))
    };
    text().map_err(|error| explain_error(source, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn checked(fields: &str) -> Result<Cluster> {
        let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1beta1\n{fields}");
        check_config(&Source::new("k.yaml", text), &|_| {})
    }

    #[test]
    fn a_good_one_has_its_defaults() {
        let cluster = checked("nodes: [{}, {role: worker}]\n").unwrap();
        assert_eq!(cluster.node_names(), ["kind-control-plane", "kind-worker"]);
    }

    #[test]
    fn every_bad_patch_is_named_with_its_line() {
        let fields = "name: Bad\nkubeadmConfigPatches:\n- |\n  kind: X\n  a: [\n- text\nnodes:\n\
                      - kubeadmConfigPatchesJSON6902:\n  - {kind: X, patch: \"op: add\"}\n\
                      containerdConfigPatches:\n- |\n  version = 2\n  a =\ncontainerdConfigPatchesJSON6902: [\"{}\"]\n";
        let error = checked(fields).unwrap_err();
        let Error::Many(errors) = &error else {
            panic!("{error}");
        };
        assert_eq!(errors.len(), 6, "{error}");
        let remedy = error.remedy().unwrap();
        let places: Vec<&str> = remedy
            .lines()
            .filter_map(|line| line.split_once(": ").filter(|_| line.starts_with("k.yaml")))
            .map(|(place, _)| place)
            .collect();
        assert_eq!(
            places,
            [
                "k.yaml:3",
                "k.yaml:7",
                "k.yaml:8",
                "k.yaml:11",
                "k.yaml:15",
                "k.yaml:16"
            ],
            "{remedy}"
        );
    }

    #[test]
    fn warnings_are_told() {
        let text = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nkubeadmConfigPatchesJSON6902:\n\
                    - {kind: X, name: config, patch: \"[]\"}\n";
        let told = std::sync::Mutex::new(Vec::new());
        let listener = |event| told.lock().unwrap().push(format!("{event:?}"));
        check_config(&Source::new("k.yaml", text), &listener).unwrap();
        let told = told.into_inner().unwrap();
        assert!(
            told[0].contains("kubeadmConfigPatchesJSON6902[0].name has no effect"),
            "{told:?}"
        );
    }
}
