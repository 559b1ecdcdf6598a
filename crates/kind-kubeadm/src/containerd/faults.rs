//! Configurations with which containerd runs without CRI, so that no kubelet ever finds it.

use serde_json::Value;

use super::names::{CRI, IMAGES, RUNTIME, runtimes};

/// Names of CRI that `disabled_plugins` may have; before version 2 it was the short one.
const NAMES: [&str; 4] = ["cri", CRI, IMAGES, RUNTIME];

/// Why CRI does not load.
pub(super) fn cri_fault(config: &Value, version: i64) -> Option<String> {
    disabled(config).or_else(|| missing_runtime(config, version))
}

fn disabled(config: &Value) -> Option<String> {
    let disabled = config["disabled_plugins"].as_array()?;
    let mut names = disabled.iter().filter_map(Value::as_str);
    let name = names.find(|name| NAMES.contains(name))?;
    Some(format!(
        "disabled_plugins has {name}, without which no kubelet starts a container"
    ))
}

/// As `ValidatePluginConfig` of containerd's `internal/cri/config` has it. Where a file names no runtime at all,
/// containerd has its own default.
fn missing_runtime(config: &Value, version: i64) -> Option<String> {
    let table = runtimes(config, version);
    let name = table["default_runtime_name"].as_str()?;
    let known = table["runtimes"].as_object();
    let is_known = name == "runc" || known.is_some_and(|known| known.contains_key(name));
    (!is_known).then(|| {
        format!(
            "default_runtime_name is {name}, and there is no table of that name among its runtimes"
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_containerd_without_cri_is_told() {
        for name in NAMES {
            let config = json!({ "disabled_plugins": ["restart", name] });
            assert!(cri_fault(&config, 2).unwrap().contains(name));
        }
        let config = json!({ "disabled_plugins": ["io.containerd.internal.v1.restart"] });
        assert_eq!(cri_fault(&config, 2), None);
        assert_eq!(cri_fault(&json!({}), 3), None);
    }

    #[test]
    fn a_default_runtime_that_is_not_there_is_told() {
        for (version, plugin) in [(2, CRI), (3, RUNTIME), (4, RUNTIME)] {
            let config = |name: &str| {
                json!({ "plugins": { plugin: { "containerd": {
                    "default_runtime_name": name, "runtimes": { "runsc": {} },
                } } } })
            };
            assert_eq!(cri_fault(&config("runsc"), version), None);
            assert_eq!(cri_fault(&config("runc"), version), None);
            assert!(
                cri_fault(&config("kata"), version)
                    .unwrap()
                    .contains("kata")
            );
        }
    }
}
