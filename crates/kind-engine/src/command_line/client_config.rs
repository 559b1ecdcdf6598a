//! Proxies that docker's own client gives to containers: its `config.json` has some for single daemons, and some
//! for all others.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::program::Program;

/// Format that names the daemon of a context.
const HOST: &str = r#"{{ (index .Endpoints "docker").Host }}"#;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ClientConfig {
    current_context: String,
    proxies: BTreeMap<String, Proxies>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Proxies {
    http_proxy: String,
    https_proxy: String,
    all_proxy: String,
    no_proxy: String,
}

/// The proxies for the daemon that is used, by the names of their variables. A file that is not there
/// or cannot be read has none.
pub(super) fn client_proxies(
    program: &Program,
    environment: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut config = read_config(environment).unwrap_or_default();
    let found = if config.proxies.keys().any(|key| key != "default") {
        daemon_host(program, environment, &config).and_then(|host| config.proxies.remove(&host))
    } else {
        // No daemon has its own.
        None
    };
    let found = found.or_else(|| config.proxies.remove("default"));
    let found = found.unwrap_or_default();
    [
        ("HTTP_PROXY", found.http_proxy),
        ("HTTPS_PROXY", found.https_proxy),
        ("ALL_PROXY", found.all_proxy),
        ("NO_PROXY", found.no_proxy),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn variable<'a>(environment: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let value = environment.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

fn read_config(environment: &BTreeMap<String, String>) -> Option<ClientConfig> {
    let directory = match variable(environment, "DOCKER_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(variable(environment, "HOME")?).join(".docker"),
    };
    let text = std::fs::read_to_string(directory.join("config.json")).ok()?;
    serde_json::from_str(&text)
        .inspect_err(|error| tracing::debug!(%error, "docker's client configuration"))
        .ok()
}

/// The address of the daemon that docker's client talks to.
fn daemon_host(
    program: &Program,
    environment: &BTreeMap<String, String>,
    config: &ClientConfig,
) -> Option<String> {
    if let Some(host) = variable(environment, "DOCKER_HOST") {
        return Some(host.to_owned());
    }
    let current = Some(config.current_context.as_str()).filter(|context| !context.is_empty());
    let context = variable(environment, "DOCKER_CONTEXT").or(current);
    let context = context.unwrap_or("default");
    let told = program.command_output(&["context", "inspect", "--format", HOST, context]);
    told.ok().map(|host| host.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chosen HTTP proxy; contexts are as `echo` tells them.
    fn chosen(text: &str, variables: &[(&str, &str)]) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), text).unwrap();
        let path = directory.path().to_str().unwrap();
        let pairs = [&[("DOCKER_CONFIG", path)], variables].concat();
        let environment = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut found = client_proxies(&Program::new("echo"), &environment);
        found.remove("HTTP_PROXY")
    }

    #[test]
    fn each_daemon_may_have_its_own() {
        let echoed = format!("context inspect --format {HOST} mine");
        let text = serde_json::json!({
            "currentContext": "mine",
            "proxies": {
                "default": {"httpProxy": "default"},
                "tcp://remote": {"httpProxy": "remote"},
                echoed: {"httpProxy": "context"},
            }
        })
        .to_string();
        let remote = ("DOCKER_HOST", "tcp://remote");
        assert_eq!(chosen(&text, &[remote]).as_deref(), Some("remote"));
        assert_eq!(chosen(&text, &[]).as_deref(), Some("context"));
        let other = ("DOCKER_CONTEXT", "other");
        assert_eq!(chosen(&text, &[other]).as_deref(), Some("default"));
    }

    #[test]
    fn the_home_directory_is_looked_into() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".docker")).unwrap();
        let text = r#"{"proxies":{"default":{"httpsProxy":"a","noProxy":"b"}},"auths":{}}"#;
        std::fs::write(home.path().join(".docker/config.json"), text).unwrap();
        let path = home.path().to_str().unwrap().to_owned();
        let environment = BTreeMap::from([("HOME".to_owned(), path)]);
        let found = client_proxies(&Program::new("false"), &environment);
        let expected = [("HTTPS_PROXY", "a"), ("NO_PROXY", "b")];
        assert_eq!(
            found,
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
    }

    #[test]
    fn what_cannot_be_read_has_none() {
        assert_eq!(chosen("{", &[]), None);
        assert_eq!(chosen(r#"{"proxies":[]}"#, &[]), None);
        assert!(client_proxies(&Program::new("false"), &BTreeMap::new()).is_empty());
    }
}
