//! Variables that name proxies, of the host and of an engine's client.

use std::collections::BTreeMap;

use kind_engine::Engine;

/// The variable of the proxy for all protocols.
pub(super) const EVERY: &str = "ALL_PROXY";
/// Variables of proxies for one protocol.
pub(super) const SINGLE: [&str; 2] = ["HTTP_PROXY", "HTTPS_PROXY"];

/// The host's environment with the proxies of the engine's own client, where the host says nothing of them.
pub(super) fn with_client_settings(
    engine: Option<&dyn Engine>,
    environment: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let client = engine.map(|engine| engine.proxies(environment));
    let client = client.unwrap_or_default().into_iter();
    let mut all = environment.clone();
    all.extend(client.filter(|(name, _)| find_variable(environment, name).is_none()));
    all
}

/// A variable in either spelling, if it has a value.
pub(crate) fn find_variable<'a>(
    environment: &'a BTreeMap<String, String>,
    name: &str,
) -> Option<&'a String> {
    let spellings = [name.to_owned(), name.to_lowercase()];
    let mut values = spellings.iter().filter_map(|name| environment.get(name));
    values.find(|value| !value.is_empty())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use kind_engine::command_line::{CommandLine, Flavor};

    use super::*;

    /// What nodes are given beside docker's own configuration.
    fn found(client: &str, variables: &[(&str, &str)]) -> [String; 3] {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(r#"{{"proxies":{{"default":{client}}}}}"#);
        std::fs::write(directory.path().join("config.json"), config).unwrap();
        let engine = CommandLine::new(Flavor::Docker, "false");
        let path = ("DOCKER_CONFIG", directory.path().to_str().unwrap());
        let pairs = [&[path], variables].concat();
        let pairs = pairs.into_iter();
        let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let all = with_client_settings(Some(&engine), &environment.collect());
        ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
            .map(|name| find_variable(&all, name).cloned().unwrap_or_default())
    }

    #[test]
    fn one_variable_in_the_shell_leaves_the_rest_of_the_clients_proxies() {
        let client = r#"{"httpProxy":"client","httpsProxy":"safe","noProxy":"internal"}"#;
        assert_eq!(found(client, &[]), ["client", "safe", "internal"]);
        let own = ("https_proxy", "own");
        assert_eq!(found(client, &[own]), ["client", "own", "internal"]);
        let none = ("NO_PROXY", "own");
        assert_eq!(
            found(client, &[none, ("HTTP_PROXY", "")]),
            ["client", "safe", "own"]
        );
    }
}
