//! Making the objects of manifests in a new cluster, with what `kubectl create` and `kubectl apply` would leave.
//!
//! kubectl first asks a server for everything that it knows, while a new server still has better things to do,
//! and there are several manifests at once.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersion};
use kube::discovery::{ApiCapabilities, Scope, oneshot};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::admin_client;
use crate::kubernetes::refused::describe_error;
use crate::usage::{exit_with_failure, exit_with_usage};

/// Where `kubectl apply` keeps what it was given, to tell later what was removed from it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Where objects go that name no namespace.
const DEFAULT_NAMESPACE: &str = "default";
/// What the server answers if the object is there already.
const EXISTS: u16 = 409;
/// What it answers if it will never take the object.
const REFUSED: [u16; 2] = [400, 422];
/// How long a new server may be unable to answer.
const API_SERVER_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What becomes of an object that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    /// That is a failure.
    Create,
    /// It is changed, and what was wanted is kept with it.
    Apply,
}

impl Verb {
    /// Whose the fields are that it sets: kubectl's, which may go on with them.
    fn field_manager(self) -> String {
        match self {
            Self::Create => "kubectl-create".to_owned(),
            Self::Apply => "kubectl-client-side-apply".to_owned(),
        }
    }
}

/// Makes the objects of the JSON list on stdin, in their order; the argument is `create` or `apply`.
pub(crate) fn make_objects(arguments: &[String]) -> ExitCode {
    let verb = match arguments {
        [word] if word == "create" => Verb::Create,
        [word] if word == "apply" => Verb::Apply,
        _ => return exit_with_usage("make-objects takes `create` or `apply`"),
    };
    match admin_client::block_on(make_from_stdin(verb)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(problem)) => exit_with_failure(&problem),
        Err(error) => exit_with_failure(&error.to_string()),
    }
}

async fn make_from_stdin(verb: Verb) -> Result<(), String> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| format!("cannot read the objects: {error}"))?;
    let objects: Vec<Value> =
        serde_json::from_str(&text).map_err(|error| format!("not a list of objects: {error}"))?;
    let mut maker = Maker {
        verb,
        client: admin_client::admin_client().await,
        known: BTreeMap::new(),
        deadline: Instant::now() + API_SERVER_TIMEOUT,
    };
    for object in objects {
        let name = describe_object(&object);
        let made = maker.make_object(object).await;
        made.map_err(|error| format!("cannot make {name}: {}", describe_error(&error)))?;
    }
    Ok(())
}

struct Maker {
    verb: Verb,
    client: Client,
    /// What the server has told of the versions of its interfaces.
    known: BTreeMap<String, Vec<(ApiResource, ApiCapabilities)>>,
    deadline: Instant,
}

impl Maker {
    /// Makes one object, as soon as the server can.
    async fn make_object(&mut self, object: Value) -> Result<(), kube::Error> {
        let mut tried = false;
        loop {
            match self.try_object(object.clone()).await {
                // An attempt whose answer was lost has made it.
                Err(error) if tried && has_code(&error, EXISTS) => return Ok(()),
                Err(error) if Instant::now() < self.deadline && may_pass(&error) => {
                    tried = true;
                    sleep(POLL_INTERVAL).await;
                }
                result => return result,
            }
        }
    }

    async fn try_object(&mut self, mut object: Value) -> Result<(), kube::Error> {
        let (resource, scope) = self.find_resource(&object).await?;
        if scope == Scope::Namespaced {
            settle_namespace(&mut object);
        }
        if self.verb == Verb::Apply {
            note_last_applied(&mut object);
        }
        let object: DynamicObject =
            serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
        let client = self.client.clone();
        let api: Api<DynamicObject> = match object.metadata.namespace.as_deref() {
            Some(namespace) if scope == Scope::Namespaced => {
                Api::namespaced_with(client, namespace, &resource)
            }
            _ => Api::all_with(client, &resource),
        };
        let manager = Some(self.verb.field_manager());
        let params = PostParams {
            field_manager: manager.clone(),
            ..PostParams::default()
        };
        match api.create(&params, &object).await {
            Err(error) if self.verb == Verb::Apply && has_code(&error, EXISTS) => {
                let name = object.metadata.name.clone().unwrap_or_default();
                let params = PatchParams {
                    field_manager: manager,
                    ..PatchParams::default()
                };
                api.patch(&name, &params, &Patch::Merge(&object)).await
            }
            result => result,
        }
        .map(drop)
    }

    /// What the server calls objects of this kind in its paths.
    async fn find_resource(&mut self, object: &Value) -> Result<(ApiResource, Scope), kube::Error> {
        let (version, kind) = (text_field(object, "apiVersion"), text_field(object, "kind"));
        if !self.known.contains_key(version) {
            let parsed: GroupVersion = version
                .parse()
                .map_err(|error| kube::Error::Service(Box::new(error)))?;
            let group = oneshot::pinned_group(&self.client, &parsed).await?;
            let resources = group.versioned_resources(&parsed.version);
            self.known.insert(version.to_owned(), resources);
        }
        let mut resources = self.known.get(version).into_iter().flatten();
        let found = resources.find(|(resource, _)| resource.kind == kind);
        found
            .map(|(resource, capabilities)| (resource.clone(), capabilities.scope.clone()))
            .ok_or_else(|| {
                let missing = kube::error::DiscoveryError::MissingKind(kind.to_owned());
                kube::Error::Discovery(missing)
            })
    }
}

fn has_code(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// Whether the same attempt may succeed once the server is further.
fn may_pass(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code != EXISTS && !REFUSED.contains(&status.code),
        kube::Error::SerdeError(_) => false,
        _ => true,
    }
}

fn settle_namespace(object: &mut Value) {
    let metadata = metadata_of(object);
    metadata
        .entry("namespace")
        .or_insert_with(|| DEFAULT_NAMESPACE.into());
}

/// Has an object hold what it was made from.
fn note_last_applied(object: &mut Value) {
    let annotations = metadata_of(object).entry("annotations");
    let annotations = annotations.or_insert(Value::Null);
    if annotations.is_null() {
        *annotations = Map::new().into();
    }
    let text = format!("{object}\n");
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.insert(LAST_APPLIED.to_owned(), text.into());
    }
}

fn metadata_of(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"].is_object() {
        object["metadata"] = Map::new().into();
    }
    match &mut object["metadata"] {
        Value::Object(metadata) => metadata,
        _ => unreachable!("it was just made one"),
    }
}

fn text_field<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

fn describe_object(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    format!("{} {name:?}", text_field(object, "kind"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_applied_object_holds_what_kubectl_would_keep() {
        let mut object = json!({
            "kind": "ConfigMap", "apiVersion": "v1",
            "metadata": { "name": "a" }, "data": { "b": "c" },
        });
        settle_namespace(&mut object);
        note_last_applied(&mut object);
        // As `kubectl apply` of Kubernetes 1.32 has written it.
        let kept = "{\"apiVersion\":\"v1\",\"data\":{\"b\":\"c\"},\"kind\":\"ConfigMap\",\
                    \"metadata\":{\"annotations\":{},\"name\":\"a\",\"namespace\":\"default\"}}\n";
        assert_eq!(object["metadata"]["annotations"][LAST_APPLIED], kept);
    }

    #[test]
    fn annotations_that_are_null_are_none() {
        let mut object = json!({ "metadata": { "annotations": null } });
        note_last_applied(&mut object);
        assert_eq!(
            object["metadata"]["annotations"][LAST_APPLIED],
            "{\"metadata\":{\"annotations\":{}}}\n"
        );
    }

    #[test]
    fn what_the_object_says_stays() {
        let mut object = json!({
            "metadata": { "namespace": "own", "annotations": { "x": "y" } },
        });
        settle_namespace(&mut object);
        note_last_applied(&mut object);
        assert_eq!(object["metadata"]["namespace"], "own");
        assert_eq!(object["metadata"]["annotations"]["x"], "y");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let answered = |code| {
            let status = kube::core::Status {
                code,
                ..kube::core::Status::default()
            };
            may_pass(&kube::Error::Api(Box::new(status)))
        };
        assert!(answered(503) && answered(404) && answered(403));
        assert!(!answered(409) && !answered(422) && !answered(400));
    }
}
