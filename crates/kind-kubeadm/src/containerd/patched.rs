//! Users' patches of containerd's configuration.

use serde_json::Value;

use super::{Settings, faults, layout, mirrors, registries, table, translation};
use crate::Error;
use crate::patch::PatchError;

/// Where containerd's configuration stands in a node.
pub const CONFIG_PATH: &str = "/etc/containerd/config.toml";

const KIND: &str = "TOML patch";
const FIELD: &str = "containerdConfigPatches";

/// A node's containerd configuration with all patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patched {
    /// Its text.
    pub text: String,
    /// Files beside it: paths in a node and their content.
    pub files: Vec<(String, String)>,
    /// What was made of patches that containerd would not have taken as they are, as sentences.
    pub notes: Vec<String>,
}

/// Changes a node's containerd configuration by the cluster's patches: the TOML merge patches first
/// (those that name another configuration version than the file's are skipped), then the JSON
/// patches. Keys are put in order; comments stay with what they stand at.
///
/// # Errors
/// The configuration cannot be parsed or has no version, a JSON patch does not apply, or containerd has no CRI with all
/// that.
pub fn patch(config: &str, settings: &Settings) -> Result<Patched, Error> {
    let (mut config, comments) = table::parse_document(config)
        .map_err(|malformed| Error::ContainerdVersion(malformed.to_string()))?;
    let version = table::config_version(&config).map_err(Error::ContainerdVersion)?;
    if !settings.registries.is_empty() {
        registries::enable_registries(&mut config, version);
    }
    let mut notes = skipped_patches(&settings.merge, version);
    for (index, patch) in settings.merge.iter().enumerate() {
        if is_for(patch, version) {
            let mut patch = patch.clone();
            let moved = translation::translate_tables(&mut patch, version).into_iter();
            notes.extend(moved.map(|table| {
                format!("{FIELD}[{index}]: {table} is no table of version {version}, which the node's file is of; its settings are put where that version has them")
            }));
            json_patch::merge(&mut config, &patch);
        }
    }
    for patch in &settings.operations {
        patch.apply(&mut config).map_err(Error::Containerd)?;
    }
    if let Some(fault) = faults::cri_fault(&config, version) {
        return Err(Error::Containerd(PatchError::apply(KIND, FIELD, "", fault)));
    }
    let files = mirrors::take_mirrors(&mut config, version);
    check_registries(&files, settings)?;
    notes.extend(files.iter().map(|(path, _)| {
        format!("{FIELD}: containerd takes no registry.mirrors or configs.tls beside config_path; they are in {path} instead")
    }));
    Ok(Patched {
        text: layout::write_config(&config, &comments),
        files,
        notes,
    })
}

/// Whether a merge patch is for files of a version, or of any.
fn is_for(patch: &Value, version: i64) -> bool {
    let wanted = patch.get("version");
    wanted.is_none_or(|wanted| wanted.as_i64() == Some(version))
}

/// Patches that name another version of the file, unless there are variants of one: users list them side by side.
fn skipped_patches(patches: &[Value], version: i64) -> Vec<String> {
    let has_variant = patches
        .iter()
        .any(|patch| patch.get("version").is_some() && is_for(patch, version));
    let skipped = patches.iter().enumerate();
    let skipped = skipped.filter(|(_, patch)| !has_variant && !is_for(patch, version));
    skipped
        .map(|(index, patch)| {
            format!(
                "{FIELD}[{index}] has no effect: it is for version {}, and the node's file is of version {version}",
                patch["version"]
            )
        })
        .collect()
}

/// A registry has one file only.
fn check_registries(files: &[(String, String)], settings: &Settings) -> Result<(), Error> {
    let own = registries::registry_files(settings);
    let twice = files
        .iter()
        .find(|(path, _)| own.iter().any(|(known, _)| known == path));
    match twice {
        Some((path, _)) => {
            let reason =
                format!("{path} is made of registries already: say all of a registry there");
            Err(Error::Containerd(PatchError::apply(
                KIND, FIELD, "", reason,
            )))
        }
        None => Ok(()),
    }
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
        patched
            .map(|patched| patched.text)
            .map_err(|error| error.to_string())
    }

    /// All that is made of a file of a version by patches.
    fn made(version: i64, patches: &[&str]) -> Result<Patched, String> {
        let mut cluster = Cluster::default();
        let patches = patches.iter().map(|patch| (*patch).to_owned());
        cluster.containerd_config_patches = patches.collect();
        let file = format!(
            "version = {version}\n[plugins.\"{}\".registry]\nconfig_path = \"/etc/containerd/certs.d\"\n",
            super::super::names::images_plugin(version)
        );
        let made = Settings::new(&cluster).and_then(|settings| patch(&file, &settings));
        made.map_err(|error| error.to_string())
    }

    #[test]
    fn registry_mirrors_beside_config_path_do_not_hang() {
        let mirror = "[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"localhost:5001\"]\n\
                      endpoint = [\"http://kind-registry:5000\"]\n";
        for version in [2, 3, 4] {
            let made = made(version, &[mirror]).unwrap();
            assert!(!made.text.contains("mirrors"), "{}", made.text);
            let path = "/etc/containerd/certs.d/localhost:5001/hosts.toml";
            assert_eq!(made.files[0].0, path);
            assert!(made.files[0].1.contains("http://kind-registry:5000"));
            assert!(
                made.notes
                    .last()
                    .unwrap()
                    .ends_with(&format!("they are in {path} instead"))
            );
            assert_eq!(made.notes.len(), if version == 2 { 1 } else { 2 });
        }
    }

    #[test]
    fn a_table_of_another_version_is_translated_with_a_note() {
        let old = "[plugins.\"io.containerd.grpc.v1.cri\"]\nenable_selinux = true\n";
        let new = "[plugins.\"io.containerd.cri.v1.runtime\"]\nenable_selinux = true\n";
        for (version, patch, table) in [
            (2, new, "[plugins.\"io.containerd.grpc.v1.cri\"]"),
            (3, old, "[plugins.\"io.containerd.cri.v1.runtime\"]"),
            (4, old, "[plugins.\"io.containerd.cri.v1.runtime\"]"),
        ] {
            let made = made(version, &[patch]).unwrap();
            assert!(
                made.text
                    .contains(&format!("{table}\n    enable_selinux = true\n")),
                "{}",
                made.text
            );
            assert_eq!(made.notes.len(), 1);
            assert!(made.notes[0].starts_with("containerdConfigPatches[0]: io.containerd."));
        }
        assert_eq!(made(2, &[old]).unwrap().notes, [""; 0]);
        assert_eq!(made(3, &[new]).unwrap().notes, [""; 0]);
    }

    #[test]
    fn a_patch_for_another_version_is_named_as_dead() {
        let made_of = |patches: &[&str]| made(2, patches).unwrap().notes;
        let other = "version = 3\nroot = \"/a\"\n";
        let expected = "containerdConfigPatches[0] has no effect: it is for version 3, and the node's file is of version 2";
        assert_eq!(made_of(&[other]), [expected]);
        assert_eq!(made_of(&[other, "version = 2\nroot = \"/b\"\n"]), [""; 0]);
    }

    #[test]
    fn patches_without_which_cri_loads_are_refused() {
        for patch in [
            "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n",
            "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\ndefault_runtime_name = \"kata\"\n",
        ] {
            let error = made(2, &[patch]).unwrap_err();
            assert!(error.contains("containerdConfigPatches"), "{error}");
        }
    }

    #[test]
    fn a_registry_that_stands_in_both_places_is_refused() {
        let mut cluster = Cluster::default()
            .registry(kind_config::Registry::new("a").mirror(kind_config::Mirror::new("http://b")));
        let mirror = "[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.a]\nendpoint = [\"http://c\"]\n";
        cluster.containerd_config_patches.push(mirror.to_owned());
        let error = patch("version = 2\n", &Settings::new(&cluster).unwrap()).unwrap_err();
        assert!(
            error.to_string().contains("is made of registries already"),
            "{error}"
        );
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
