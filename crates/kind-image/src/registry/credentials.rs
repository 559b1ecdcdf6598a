//! Who the user is at a registry: docker's and podman's files, and docker's credential helpers.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kind_secret::{Secret, note_secret};
use serde::Deserialize;

use super::{Access, Error};

/// How docker's files and helpers call Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// A helper may ask the user something.
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_ANSWER: u64 = 1 << 20;
/// What helpers say of a registry they do not know, by docker's protocol.
const NOT_FOUND: &str = "credentials not found";
/// The user name that a helper gives with a token in place of a password.
const TOKEN_USER: &str = "<token>";

/// What convinces a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// A user with a password.
    Password { user: String, password: Secret },
    /// A token that buys other tokens.
    Identity(Secret),
    /// A token that is shown as it is.
    Bearer(Secret),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ConfigFile {
    #[serde(default)]
    auths: Option<BTreeMap<String, Auth>>,
    #[serde(default)]
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
struct Auth {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    identitytoken: Option<String>,
    #[serde(default)]
    registrytoken: Option<String>,
}

/// The user's credentials for a repository of a registry; `None` for a stranger.
pub(super) fn find_credentials(
    access: &Access,
    host: &str,
    repository: &str,
) -> Result<Option<Credentials>, Error> {
    for path in &access.credentials {
        let Some(file) = read_config(path)? else {
            continue;
        };
        if let Some(helper) = file.find_helper(host) {
            let key = if is_hub(host) { HUB_KEY } else { host };
            if let Some(found) = ask_helper(access, helper, key, host)? {
                return Ok(Some(found));
            }
        }
        if let Some(auth) = file.find_auth(host, repository)
            && let Some(found) = auth.credentials(host)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read_config(path: &Path) -> Result<Option<ConfigFile>, Error> {
    let bad = |reason: String| Error::Configuration {
        path: path.to_owned(),
        reason,
    };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) => {
            use std::io::ErrorKind::{NotADirectory, NotFound};
            return match error.kind() {
                NotFound | NotADirectory => Ok(None),
                _ => Err(bad(error.to_string())),
            };
        }
    };
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let file = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
    Ok(Some(file))
}

fn is_hub(host: &str) -> bool {
    matches!(
        host,
        "docker.io" | "index.docker.io" | "registry-1.docker.io"
    )
}

impl ConfigFile {
    fn find_helper(&self, host: &str) -> Option<&str> {
        let own = self.cred_helpers.as_ref().and_then(|helpers| {
            let found = helpers.iter().find(|(key, _)| same_host(key, host));
            found.map(|(_, helper)| helper.as_str())
        });
        let helper = own.or(self.creds_store.as_deref());
        helper.filter(|helper| !helper.is_empty())
    }

    /// The entry that fits best: podman's name repositories too.
    fn find_auth(&self, host: &str, repository: &str) -> Option<&Auth> {
        let entries = self.auths.iter().flatten();
        let fitting = entries.filter_map(|(key, auth)| Some((fit(key, host, repository)?, auth)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, auth)| auth)
    }
}

/// How well a key of `auths` fits; `None` if it is about something else.
fn fit(key: &str, host: &str, repository: &str) -> Option<usize> {
    if !same_host(key, host) {
        return None;
    }
    match path_of(key) {
        "" | "v1" | "v2" => Some(0),
        path if repository == path => Some(path.len()),
        path => repository
            .strip_prefix(path)
            .filter(|rest| rest.starts_with('/'))
            .map(|_| path.len()),
    }
}

fn without_scheme(key: &str) -> &str {
    let key = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    key.trim_end_matches('/')
}

fn same_host(key: &str, host: &str) -> bool {
    let named = without_scheme(key).split('/').next().unwrap_or_default();
    named == host || (is_hub(named) && is_hub(host))
}

fn path_of(key: &str) -> &str {
    without_scheme(key)
        .split_once('/')
        .map_or("", |(_, path)| path)
}

impl Auth {
    fn credentials(&self, host: &str) -> Result<Option<Credentials>, Error> {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = set(&self.identitytoken) {
            return Ok(Some(Credentials::Identity(Secret::new(token))));
        }
        if let Some(token) = set(&self.registrytoken) {
            return Ok(Some(Credentials::Bearer(Secret::new(token))));
        }
        if let Some(encoded) = set(&self.auth) {
            return decode_auth(&encoded)
                .map(Some)
                .ok_or_else(|| Error::Credentials {
                    host: host.to_owned(),
                    reason: "`auth` of its entry is not base64 of `user:password`".to_owned(),
                });
        }
        let pair = set(&self.username).zip(set(&self.password));
        Ok(pair.map(|(user, password)| {
            let password = Secret::new(password);
            Credentials::Password { user, password }
        }))
    }
}

fn decode_auth(encoded: &str) -> Option<Credentials> {
    note_secret(encoded.trim());
    let bytes = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Credentials::Password {
        user: user.to_owned(),
        // docker fills up with these.
        password: Secret::new(password.trim_end_matches('\0')),
    })
}

/// What a helper answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

fn ask_helper(
    access: &Access,
    helper: &str,
    key: &str,
    host: &str,
) -> Result<Option<Credentials>, Error> {
    let fail = |reason: String| Error::Credentials {
        host: host.to_owned(),
        reason,
    };
    let name = format!("docker-credential-{helper}");
    let program = locate_helper(access, &name)
        .ok_or_else(|| fail(format!("the credential helper `{name}` is not installed")))?;
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| fail(format!("cannot start {}: {error}", program.display())))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that ends without reading says itself what is wrong.
        let _ = stdin.write_all(key.as_bytes());
    }
    let answer =
        wait_for_helper(&mut child).ok_or_else(|| fail(format!("`{name}` does not answer")))?;
    let (well, text) = answer;
    if !well {
        if text.contains(NOT_FOUND) {
            return Ok(None);
        }
        let first = text.lines().next().unwrap_or_default();
        return Err(fail(format!("`{name}` failed: {first}")));
    }
    let answer: Answer = serde_json::from_str(&text)
        .map_err(|error| fail(format!("`{name}` answers something else: {error}")))?;
    Ok(Some(match answer.username.as_str() {
        TOKEN_USER => Credentials::Identity(Secret::new(answer.secret)),
        _ => Credentials::Password {
            user: answer.username,
            password: Secret::new(answer.secret),
        },
    }))
}

/// Looks for a helper as a shell would. Its name comes from a file and must not be a path.
fn locate_helper(access: &Access, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    let path = access.path.as_deref()?;
    std::env::split_paths(path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

/// Whether the helper succeeded, and what it printed; `None` if it takes too long.
fn wait_for_helper(child: &mut Child) -> Option<(bool, String)> {
    let mut stdout = child.stdout.take()?;
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = (&mut stdout).take(MAX_ANSWER).read_to_string(&mut text);
        text
    });
    let deadline = Instant::now() + HELPER_TIMEOUT;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some((status.success(), reading.join().ok()?)),
            Ok(None) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Access with one file of credentials and a directory of helpers.
    fn access(place: &Path, config: &str) -> Access {
        let path = place.join("config.json");
        fs::write(&path, config).unwrap();
        Access {
            credentials: vec![place.join("missing.json"), path],
            path: Some(format!("{}:/usr/bin:/bin", place.display())),
            ..Access::default()
        }
    }

    fn password(user: &str, password: &str) -> Credentials {
        Credentials::Password {
            user: user.to_owned(),
            password: Secret::new(password),
        }
    }

    #[test]
    fn files_name_registries_in_many_ways() {
        let place = tempfile::tempdir().unwrap();
        // bWU6c2VjcmV0 is `me:secret`.
        let access = access(
            place.path(),
            r#"{"auths":{
                "https://index.docker.io/v1/":{"auth":"bWU6c2VjcmV0"},
                "a.test:5000":{"username":"u","password":"p"},
                "quay.test":{"username":"all","password":"p"},
                "quay.test/team":{"username":"team","password":"p"},
                "https://token.test/v2/":{"identitytoken":"t"},
                "bearer.test":{"registrytoken":"b"},
                "empty.test":{}
            }}"#,
        );
        let found = |host, repository| find_credentials(&access, host, repository).unwrap();
        assert_eq!(
            found("docker.io", "library/x"),
            Some(password("me", "secret"))
        );
        assert_eq!(found("a.test:5000", "x"), Some(password("u", "p")));
        assert_eq!(found("a.test", "x"), None);
        assert_eq!(found("quay.test", "team/x"), Some(password("team", "p")));
        assert_eq!(found("quay.test", "teams/x"), Some(password("all", "p")));
        assert_eq!(
            found("token.test", "x"),
            Some(Credentials::Identity(Secret::new("t")))
        );
        assert_eq!(
            found("bearer.test", "x"),
            Some(Credentials::Bearer(Secret::new("b")))
        );
        assert_eq!(found("empty.test", "x"), None);
    }

    #[test]
    fn helpers_are_asked_by_dockers_protocol() {
        let place = tempfile::tempdir().unwrap();
        let helper = place.path().join("docker-credential-test");
        let script = r#"#!/bin/sh
read -r server
case "$1 $server" in
"get https://index.docker.io/v1/") echo '{"ServerURL":"x","Username":"<token>","Secret":"t"}' ;;
"get own.test") echo '{"ServerURL":"x","Username":"u","Secret":"p"}' ;;
"get broken.test") echo "the keychain is locked"; exit 1 ;;
*) echo "credentials not found in native keychain"; exit 1 ;;
esac
"#;
        fs::write(&helper, script).unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
        let access = access(
            place.path(),
            r#"{"credsStore":"test","credHelpers":{"gone.test":"gone","evil.test":"../../evil"},
                "auths":{"filed.test":{"username":"f","password":"p"}}}"#,
        );
        let found = |host| find_credentials(&access, host, "x");
        let hub = found("docker.io").unwrap();
        assert_eq!(hub, Some(Credentials::Identity(Secret::new("t"))));
        assert_eq!(found("own.test").unwrap(), Some(password("u", "p")));
        assert_eq!(found("filed.test").unwrap(), Some(password("f", "p")));
        assert_eq!(found("unknown.test").unwrap(), None);
        let reason = |host| found(host).unwrap_err().to_string();
        assert!(reason("broken.test").contains("the keychain is locked"));
        assert!(reason("gone.test").contains("not installed"));
        assert!(reason("evil.test").contains("not installed"));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let place = tempfile::tempdir().unwrap();
        let access = access(place.path(), "{");
        let error = find_credentials(&access, "a.test", "x").unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
    }
}
