//! Add-on manifests of node images: the places that are filled in before they are applied.

use kind_config::yaml::{self, Mapping, Value};

use crate::error::Cause;
use crate::{Code, Error};

const TEMPLATE_MARKER: &str = "would you kindly template this file";
const PATCH_MARKER: &str = "would you kindly patch this file";

/// What a manifest may ask for.
#[derive(Debug, Clone)]
pub(crate) struct TemplateValues<'a> {
    /// Subnets of pods as the configuration has them.
    pub(crate) pod_subnet: &'a str,
    /// Subnets of Services, where kube-proxy serves them; empty otherwise.
    pub(crate) service_subnet: &'a str,
    /// Address of the cluster's DNS service.
    pub(crate) dns_service_ip: &'a str,
    /// The domain of names of services and pods.
    pub(crate) dns_domain: &'a str,
    /// Host and port of the API server inside the network.
    pub(crate) endpoint: &'a str,
}

/// Fills in a manifest that asks for it with a comment; any other comes back as it is.
pub(crate) fn fill_manifest(text: &str, values: &TemplateValues<'_>) -> Result<String, Error> {
    let mut text = text.to_owned();
    if text.contains(TEMPLATE_MARKER) {
        text = expand_template(&text, values).map_err(|field| {
            bad_manifest(format!(
                "the manifest asks for {field:?}, which kind does not know"
            ))
        })?;
    }
    if text.contains(PATCH_MARKER) {
        text = patch_manifest(&text, values).map_err(|error| bad_manifest(error.to_string()))?;
    }
    Ok(text)
}

/// Replaces `{{ .Name }}` by values; an unknown name is the error.
pub(crate) fn expand_template(text: &str, values: &TemplateValues<'_>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((field, after)) = after.split_once("}}") else {
            break;
        };
        expanded.push_str(before);
        let field = field.trim_matches(['-', ' ', '\t']);
        expanded.push_str(match field {
            ".PodSubnet" => values.pod_subnet,
            ".DNSServiceIP" => values.dns_service_ip,
            ".DNSDomain" => values.dns_domain,
            other => return Err(other.to_owned()),
        });
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// The objects of a manifest as a JSON list, in their order. `None` leaves a manifest that is not plainly a series
/// of objects to kubectl, with all that it knows of such.
pub(crate) fn manifest_objects(text: &str) -> Option<String> {
    let documents = yaml::documents(text).ok()?;
    let documents = documents.iter().filter(|document| !document.is_null());
    let objects: Option<Vec<_>> = documents.map(object_of).collect();
    serde_json::to_string(&objects?).ok()
}

fn object_of(document: &Value) -> Option<serde_json::Value> {
    let kind = document.get("kind").and_then(Value::as_str)?;
    let is_plain = !kind.ends_with("List") && document.get("apiVersion").is_some();
    let name = document.get("metadata").and_then(|meta| meta.get("name"));
    (is_plain && name.is_some()).then(|| document.to_json())
}

/// Tells every DaemonSet where the API server is, so that it need not wait for services to work, and those
/// that want to know which addresses Services have. That is no field of the template: the original kind
/// knows no such field and would refuse the whole file.
fn patch_manifest(text: &str, values: &TemplateValues<'_>) -> Result<String, yaml::Error> {
    let mut patched = Vec::new();
    for mut document in yaml::documents(text)? {
        if document.is_null() {
            continue;
        }
        let field = |key: &str| document.get(key).and_then(Value::as_str);
        if (field("apiVersion"), field("kind")) == (Some("apps/v1"), Some("DaemonSet")) {
            set_variables(&mut document, values);
        }
        patched.push(yaml::emit(&document));
    }
    Ok(patched.join("---\n"))
}

fn set_variables(daemon_set: &mut Value, values: &TemplateValues<'_>) {
    let pod = ["spec", "template", "spec", "containers"]
        .iter()
        .try_fold(daemon_set, |value, key| value.get_mut(key));
    let container = pod
        .and_then(Value::as_sequence_mut)
        .and_then(|containers| containers.first_mut()?.as_mapping_mut());
    let Some(container) = container else {
        return;
    };
    let mut endpoint = Mapping::new();
    endpoint.insert("name", "CONTROL_PLANE_ENDPOINT");
    endpoint.insert("value", values.endpoint);
    match container.get_mut("env").and_then(Value::as_sequence_mut) {
        Some(variables) => {
            set_service_subnet(variables, values.service_subnet);
            variables.push(endpoint.into());
        }
        None => {
            container.insert("env", vec![endpoint.into()]);
        }
    }
}

/// Gives the variable its value, if it is there and has none.
fn set_service_subnet(variables: &mut [Value], subnet: &str) {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    for variable in variables {
        let wanted = text(variable, "name").as_deref() == Some("SERVICE_SUBNET")
            && text(variable, "value").as_deref() == Some("");
        if let Some(variable) = variable.as_mapping_mut().filter(|_| wanted) {
            variable.insert("value", subnet);
        }
    }
}

fn bad_manifest(reason: String) -> Error {
    Error::Document {
        action: "failed to apply overlay network".to_owned(),
        source: Cause::new(Code::Manifest, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_listed_in_their_order() {
        let text = "# nothing\n---\nkind: B\napiVersion: v1\nmetadata: {name: b}\nx: 010\n---\n\
                    kind: A\napiVersion: v1\nmetadata: {name: a}\n";
        let expected = "[{\"apiVersion\":\"v1\",\"kind\":\"B\",\"metadata\":{\"name\":\"b\"},\"x\":8},\
                        {\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"a\"}}]";
        assert_eq!(manifest_objects(text).as_deref(), Some(expected));
        for other in [
            "kind: List\napiVersion: v1\nmetadata: {name: a}\n",
            "kind: A\napiVersion: v1\nmetadata: {generateName: a}\n",
            "metadata: {name: a}\n",
            "a: [",
        ] {
            assert_eq!(manifest_objects(other), None, "{other}");
        }
    }

    const VALUES: TemplateValues<'static> = TemplateValues {
        pod_subnet: "10.244.0.0/16",
        service_subnet: "10.96.0.0/16",
        dns_service_ip: "10.96.0.10",
        dns_domain: "cluster.local",
        endpoint: "kind-control-plane:6443",
    };

    #[test]
    fn a_manifest_that_does_not_ask_stays() {
        let text = "value: '{{ .PodSubnet }}' # by hand\n";
        assert_eq!(fill_manifest(text, &VALUES).unwrap(), text);
    }

    #[test]
    fn places_are_filled() {
        let text =
            format!("# {TEMPLATE_MARKER}\na: {{{{ .PodSubnet }}}}\nb: \"{{{{.DNSServiceIP}}}}\"\n");
        let filled = fill_manifest(&text, &VALUES).unwrap();
        assert!(
            filled.ends_with("a: 10.244.0.0/16\nb: \"10.96.0.10\"\n"),
            "{filled}"
        );
        let error = fill_manifest(&text.replace("PodSubnet", "Other"), &VALUES).unwrap_err();
        assert_eq!(error.code(), Code::Manifest);
    }

    #[test]
    fn a_patched_manifest_says_the_same() {
        let storage = include_str!("../../kind-node/manifests/default-storage.yaml");
        let filled = fill_manifest(storage, &VALUES).unwrap();
        for text in [
            "is-default-class: \"true\"",
            "apiGroups:\n  - \"\"\n",
            "maxUnavailable: 100%",
            "CONTROL_PLANE_ENDPOINT",
        ] {
            assert!(filled.contains(text), "{filled}");
        }
    }

    #[test]
    fn daemon_sets_learn_the_endpoint() {
        let text = format!(
            "# {PATCH_MARKER}\n---\napiVersion: v1\nkind: ServiceAccount\n---\napiVersion: apps/v1\n\
             kind: DaemonSet\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        \
             env:\n        - name: B\n          value: c\n"
        );
        let filled = fill_manifest(&text, &VALUES).unwrap();
        let documents = yaml::documents(&filled).unwrap();
        assert_eq!(documents.len(), 2);
        assert!(filled.contains("name: CONTROL_PLANE_ENDPOINT"), "{filled}");
        assert!(
            filled.contains("value: kind-control-plane:6443"),
            "{filled}"
        );
    }

    #[test]
    fn the_pod_network_learns_which_addresses_services_have() {
        let manifest = include_str!("../../kind-node/manifests/default-cni.yaml");
        let filled = fill_manifest(manifest, &VALUES).unwrap();
        let variable = |value| format!("- name: SERVICE_SUBNET\n          value: {value}\n");
        assert!(filled.contains(&variable("10.96.0.0/16")), "{filled}");
        let nobody = TemplateValues {
            service_subnet: "",
            ..VALUES
        };
        let filled = fill_manifest(manifest, &nobody).unwrap();
        assert!(filled.contains(&variable("\"\"")), "{filled}");
    }
}
