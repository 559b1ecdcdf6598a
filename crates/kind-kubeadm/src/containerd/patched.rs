//! Users' patches of containerd's configuration.

use super::{Settings, layout, registries, table};
use crate::Error;

/// Changes a node's containerd configuration by the cluster's patches: the TOML merge patches first
/// (those that name another configuration version than the file's are skipped), then the JSON
/// patches. Keys are put in order; comments stay with what they stand at.
///
/// # Errors
/// The configuration cannot be parsed or has no version, or a JSON patch does not apply.
pub fn patch(config: &str, settings: &Settings) -> Result<String, Error> {
    let (mut config, comments) = table::parse_document(config)
        .map_err(|malformed| Error::ContainerdVersion(malformed.to_string()))?;
    let version = table::config_version(&config).map_err(Error::ContainerdVersion)?;
    if !settings.registries.is_empty() {
        registries::enable_registries(&mut config, version);
    }
    for patch in &settings.merge {
        let wanted = patch.get("version");
        if wanted.is_none_or(|wanted| wanted.as_i64() == Some(version)) {
            json_patch::merge(&mut config, patch);
        }
    }
    for patch in &settings.operations {
        patch.apply(&mut config).map_err(Error::Containerd)?;
    }
    Ok(layout::write_config(&config, &comments))
}

#[cfg(test)]
mod tests {
    use kind_config::Cluster;

    use super::*;

    const BEFORE: &str = r#"version = 2
disabled_plugins = ["restart"]
[plugins.linux]
shim_debug = true
[plugins.cri.containerd.runtimes.runsc]
runtime_type = 'io.containerd.runsc.v1'
"#;

    fn patched(file: &str, merge: &[&str], operations: &[&str]) -> Result<String, String> {
        let owned = |texts: &[&str]| texts.iter().copied().map(str::to_owned).collect();
        let mut cluster = Cluster::default();
        cluster.containerd_config_patches = owned(merge);
        cluster.containerd_config_patches_json6902 = owned(operations);
        let patched = Settings::new(&cluster).and_then(|settings| patch(file, &settings));
        patched.map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_without_patches_is_only_put_in_order() {
        assert_eq!(
            patched(BEFORE, &[], &[]).unwrap(),
            r#"disabled_plugins = ["restart"]
version = 2

[plugins]
  [plugins.cri]
    [plugins.cri.containerd]
      [plugins.cri.containerd.runtimes]
        [plugins.cri.containerd.runtimes.runsc]
          runtime_type = "io.containerd.runsc.v1"
  [plugins.linux]
    shim_debug = true
"#
        );
    }

    #[test]
    fn patches_for_another_version_are_skipped() {
        let merge = [
            "version = 3\ndisabled_plugins = [\"bar\"]",
            "version = 2\ndisabled_plugins = [\"baz\"]",
        ];
        let text = patched(BEFORE, &merge, &[]).unwrap();
        assert!(
            text.starts_with("disabled_plugins = [\"baz\"]\nversion = 2\n"),
            "{text}"
        );
    }

    #[test]
    fn values_are_set_and_removed() {
        let text = patched(BEFORE, &["disabled_plugins=[]"], &[]).unwrap();
        assert!(text.starts_with("disabled_plugins = []\n"), "{text}");

        let remove = r#"[{"op":"remove","path":"/disabled_plugins"}]"#;
        for merge in [&[] as &[&str], &["disabled_plugins=[]"]] {
            let text = patched(BEFORE, merge, &[remove]).unwrap();
            assert!(text.starts_with("version = 2\n"), "{text}");
        }
        let yaml = "- op: remove\n  path: /disabled_plugins\n";
        assert!(
            patched(BEFORE, &[], &[yaml])
                .unwrap()
                .starts_with("version = 2\n")
        );
    }

    #[test]
    fn tables_and_quoted_keys_are_added() {
        let merge = r#"[plugins.cri.registry.mirrors."registry:5000"]
endpoint = ["http://registry:5000"]"#;
        let text = patched(BEFORE, &[merge], &[]).unwrap();
        let added = r#"    [plugins.cri.registry]
      [plugins.cri.registry.mirrors]
        [plugins.cri.registry.mirrors."registry:5000"]
          endpoint = ["http://registry:5000"]
"#;
        assert!(text.contains(added), "{text}");
    }

    /// kind makes whole numbers of floats (quirk "floats/dates re-typed in TOML").
    #[test]
    fn numbers_keep_their_type() {
        let text = patched(
            "version = 2\na = 1.0\nb = 9007199254740993\nc = 2001-01-01\n",
            &[],
            &[],
        )
        .unwrap();
        assert_eq!(
            text,
            "a = 1.0\nb = 9007199254740993\nc = 2001-01-01\nversion = 2\n"
        );
    }

    #[test]
    fn comments_stay_with_what_they_are_about() {
        let text = "\
# of the file

# why 2
version = 2 # not 3
a = 1

# of the table
[plugins] # all
  # of b
  b = [1] # one
  [plugins.gone] # too
  c = 1
";
        let remove = "[plugins]\ngone = 1\nb = [2]\n";
        assert_eq!(
            patched(text, &[remove], &[]).unwrap(),
            "\
# of the file

a = 1
# why 2
version = 2 # not 3

# of the table
[plugins] # all
  # of b
  b = [2] # one
  gone = 1 # too
"
        );
    }

    #[test]
    fn arrays_of_tables_stay_tables() {
        let text = patched(
            "version = 2\n[[a]]\nx = 1\n[[a]]\n[a.b]\ny = [{z = 1}, 2]\n",
            &[],
            &[],
        )
        .unwrap();
        assert_eq!(
            text,
            "version = 2\n\n[[a]]\n  x = 1\n\n[[a]]\n  [a.b]\n    y = [{z = 1}, 2]\n"
        );
    }

    #[test]
    fn bad_files_and_patches_are_errors() {
        let detect =
            "failed to patch containerd config: failed to detect containerd config version";
        for file in ["🗿", "version = \"five\"", "a = 1"] {
            let error = patched(file, &[], &[]).unwrap_err();
            assert!(error.starts_with(detect), "{error}");
        }
        let remove = r#"[{"op":"remove","path":"/fooooooo"}]"#;
        for (merge, operations, field) in [
            (
                &["🏰"] as &[&str],
                &[] as &[&str],
                "containerdConfigPatches[0]",
            ),
            (&[], &["🏰"], "containerdConfigPatchesJSON6902[0]"),
            (&["a = 1"], &[remove], "containerdConfigPatchesJSON6902[0]"),
        ] {
            let error = patched(BEFORE, merge, operations).unwrap_err();
            assert!(error.contains(field), "{error}");
        }
    }
}
