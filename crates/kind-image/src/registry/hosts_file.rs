//! containerd's `hosts.toml`: which hosts stand in for a registry.

use std::path::{Path, PathBuf};

use kind_secret::note_variable;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::http::{Files, Url};

/// What a `hosts.toml` says.
#[derive(Debug, Default)]
pub(super) struct HostsFile {
    /// Hosts to ask before the registry itself, in this order.
    pub(super) mirrors: Vec<Host>,
    /// The registry itself, if it is not to be found under its own name.
    pub(super) server: Option<Host>,
}

/// A host of a `hosts.toml`.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// Address, with `/v2` unless the file wants its own path.
    pub(super) url: Url,
    pub(super) files: Files,
    pub(super) headers: Vec<(String, String)>,
    /// It may be asked which digest a tag has.
    pub(super) resolves: bool,
    /// It may be asked for content.
    pub(super) pulls: bool,
}

/// Reads a file of the directory `base`; paths in it are relative to that.
pub(super) fn parse_hosts_file(text: &str, base: &Path) -> Result<HostsFile, String> {
    let document: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
    let mut file = HostsFile::default();
    if let Some(server) = document.get("server") {
        let url = server.as_str().ok_or("`server` is no text")?;
        file.server = Some(parse_host(url, document.as_table(), base)?);
    }
    if let Some(hosts) = document.get("host") {
        let hosts = hosts.as_table_like().ok_or("`host` is no table")?;
        for (url, settings) in hosts.iter() {
            let settings = settings
                .as_table_like()
                .ok_or_else(|| format!("`host.{url:?}` is no table"))?;
            file.mirrors.push(parse_host(url, settings, base)?);
        }
    }
    Ok(file)
}

fn parse_host(url: &str, settings: &dyn TableLike, base: &Path) -> Result<Host, String> {
    let with_scheme = if url.contains("://") {
        url.to_owned()
    } else {
        format!("https://{url}")
    };
    let own_path = parse_flag(settings, "override_path")?;
    let whole = if own_path {
        with_scheme.trim_end_matches('/').to_owned()
    } else {
        format!("{}/v2", with_scheme.trim_end_matches('/'))
    };
    let can = |what: &str, all: &[String]| all.is_empty() || all.iter().any(|it| it == what);
    let capabilities = match settings.get("capabilities") {
        Some(item) => parse_texts(item).ok_or("`capabilities` is no list of texts")?,
        None => Vec::new(),
    };
    Ok(Host {
        url: Url::parse(&whole).map_err(|reason| format!("{url:?}: {reason}"))?,
        files: parse_files(settings, base)?,
        headers: parse_headers(settings)?,
        resolves: can("resolve", &capabilities),
        pulls: can("pull", &capabilities),
    })
}

fn parse_files(settings: &dyn TableLike, base: &Path) -> Result<Files, String> {
    let path = |text: &String| base.join(text);
    let authorities = match settings.get("ca") {
        Some(item) => parse_texts(item).ok_or("`ca` is no list of files")?,
        None => Vec::new(),
    };
    Ok(Files {
        authorities: authorities.iter().map(path).collect(),
        client: settings
            .get("client")
            .map(|item| parse_client(item, base))
            .transpose()?,
        blind: parse_flag(settings, "skip_verify")?,
    })
}

/// A file with both, a list of such files, or a list of pairs; the first one counts.
fn parse_client(item: &Item, base: &Path) -> Result<(PathBuf, PathBuf), String> {
    let bad = || "`client` is neither a file nor a list of pairs of files".to_owned();
    let both = |text: &str| (base.join(text), base.join(text));
    if let Some(text) = item.as_str() {
        return Ok(both(text));
    }
    let first = item
        .as_array()
        .and_then(|list| list.get(0))
        .ok_or_else(bad)?;
    if let Some(text) = first.as_str() {
        return Ok(both(text));
    }
    let pair = first.as_array().ok_or_else(bad)?;
    let at = |index| pair.get(index).and_then(Value::as_str);
    match (at(0), at(1)) {
        (Some(certificate), Some(key)) if !key.is_empty() => {
            Ok((base.join(certificate), base.join(key)))
        }
        (Some(certificate), _) => Ok(both(certificate)),
        _ => Err(bad()),
    }
}

fn parse_headers(settings: &dyn TableLike) -> Result<Vec<(String, String)>, String> {
    let Some(item) = settings.get("header") else {
        return Ok(Vec::new());
    };
    let table = item.as_table_like().ok_or("`header` is no table")?;
    let mut headers = Vec::new();
    for (name, item) in table.iter() {
        let values = parse_texts(item).ok_or_else(|| format!("header `{name}` is no text"))?;
        values.iter().for_each(|value| note_variable(name, value));
        headers.extend(values.into_iter().map(|value| (name.to_owned(), value)));
    }
    Ok(headers)
}

fn parse_flag(settings: &dyn TableLike, name: &str) -> Result<bool, String> {
    match settings.get(name) {
        Some(item) => item
            .as_bool()
            .ok_or_else(|| format!("`{name}` is neither true nor false")),
        None => Ok(false),
    }
}

/// One text, or a list of texts.
fn parse_texts(item: &Item) -> Option<Vec<String>> {
    if let Some(text) = item.as_str() {
        return Some(vec![text.to_owned()]);
    }
    let list = item.as_array()?;
    list.iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_come_in_the_order_of_the_file() {
        let text = r#"
server = "https://registry-1.docker.io"

[host."http://mirror.test:5000"]
  capabilities = ["pull", "resolve"]
  [host."http://mirror.test:5000".header]
    x-own = ["a", "b"]

[host."https://a.test/cache/v2"]
  override_path = true
  skip_verify = true
  ca = "ca.crt"
  client = [["c.cert", "c.key"]]
"#;
        let file = parse_hosts_file(text, Path::new("/etc/x")).unwrap();
        assert_eq!(
            file.server.unwrap().url.to_string(),
            "https://registry-1.docker.io/v2"
        );
        let [first, second] = file.mirrors.as_slice() else {
            panic!("{:?}", file.mirrors);
        };
        assert_eq!(first.url.to_string(), "http://mirror.test:5000/v2");
        assert!(first.pulls && first.resolves);
        assert_eq!(first.headers.len(), 2);
        assert_eq!(second.url.to_string(), "https://a.test/cache/v2");
        assert!(second.files.blind);
        assert_eq!(second.files.authorities, [Path::new("/etc/x/ca.crt")]);
        let client = second.files.client.clone().unwrap();
        assert_eq!(client, ("/etc/x/c.cert".into(), "/etc/x/c.key".into()));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("host = 1", "`host` is no table"),
            ("server = 5", "`server` is no text"),
            ("[host.\"ftp://x\"]", "neither `http://` nor `https://`"),
            ("[host.\"a\"]\nskip_verify = \"yes\"", "`skip_verify`"),
            ("[host.\"a\"]\ncapabilities = 3", "`capabilities`"),
            ("[", "TOML parse error"),
        ] {
            let error = parse_hosts_file(text, Path::new("/")).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
