//! Which proxy a request takes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use kind_secret::note_document;

use super::Url;
use super::url::is_loopback;

/// The proxies of an environment: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, each in both spellings.
///
/// The rules are those of Go's `net/http`, which container engines and kind itself follow: this machine is
/// never reached through a proxy; entries of `NO_PROXY` are host names (which cover what is below them,
/// and only that with a leading dot), addresses, networks in CIDR form, each with an optional port, or `*`.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    direct: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    what: What,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Everything,
    Network(IpNet),
    /// A host, and with `below` the hosts below it; without `itself` only those.
    Domain {
        name: String,
        itself: bool,
    },
}

impl Proxies {
    /// No proxy for anything.
    pub fn none() -> Self {
        Self::default()
    }

    /// The proxies that these variables name. Spelled both ways, the upper-case one counts.
    pub fn from_environment(variables: &BTreeMap<String, String>) -> Self {
        let find = |name: &str| {
            let lower = name.to_lowercase();
            [name, &lower].into_iter().find_map(|name| {
                let value = variables.get(name)?.trim();
                note_document(value);
                (!value.is_empty()).then(|| value.to_owned())
            })
        };
        let direct = find("NO_PROXY").unwrap_or_default();
        Self {
            http: find("HTTP_PROXY").map(with_scheme),
            https: find("HTTPS_PROXY").map(with_scheme),
            direct: direct.split(',').filter_map(Rule::parse).collect(),
        }
    }

    /// The proxy for an address; `None` if it is reached directly.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<&str> {
        let proxy = if url.is_https() {
            &self.https
        } else {
            &self.http
        };
        let proxy = proxy.as_deref()?;
        let direct = is_loopback(url.host())
            || self
                .direct
                .iter()
                .any(|rule| rule.covers_host(url.host(), url.port()));
        (!direct).then_some(proxy)
    }
}

fn with_scheme(proxy: String) -> String {
    if proxy.contains("://") {
        proxy
    } else {
        format!("http://{proxy}")
    }
}

/// A proxy as messages show it: without its password.
pub(super) fn redacted_proxy(proxy: &str) -> String {
    let (scheme, rest) = proxy.split_once("://").unwrap_or(("http", proxy));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{}", host.trim_end_matches('/'))
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return None;
        }
        let rule = |what, port| Some(Self { what, port });
        if text == "*" {
            return rule(What::Everything, None);
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return rule(What::Network(network), None);
        }
        let (host, port) = split_port(&text);
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return rule(What::Network(address.into()), port);
        }
        let (name, itself) = match host.strip_prefix("*.").or_else(|| host.strip_prefix('.')) {
            Some(name) => (name, false),
            None => (host, true),
        };
        let name = name.to_owned();
        rule(What::Domain { name, itself }, port)
    }

    fn covers_host(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|wanted| wanted != port) {
            return false;
        }
        match &self.what {
            What::Everything => true,
            What::Network(network) => host
                .parse::<IpAddr>()
                .is_ok_and(|address| network.contains(&address)),
            What::Domain { name, itself } => {
                let host = host.trim_end_matches('.').to_lowercase();
                let below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|head| head.ends_with('.'));
                below || (*itself && host == *name)
            }
        }
    }
}

/// An IPv6 address without brackets has colons but no port.
fn split_port(text: &str) -> (&str, Option<u16>) {
    if text.parse::<IpAddr>().is_ok() {
        return (text, None);
    }
    match text.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(pairs: &[(&str, &str)]) -> Proxies {
        let pairs = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Proxies::from_environment(&pairs.collect())
    }

    fn choice<'a>(proxies: &'a Proxies, url: &str) -> Option<&'a str> {
        proxies.proxy_for(&Url::parse(url).unwrap())
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let both = proxies(&[("HTTP_PROXY", "http://a:1"), ("https_proxy", "b:2")]);
        assert_eq!(choice(&both, "http://x.test/"), Some("http://a:1"));
        assert_eq!(choice(&both, "https://x.test/"), Some("http://b:2"));
        let one = proxies(&[("HTTP_PROXY", "http://a:1"), ("http_proxy", "http://b:2")]);
        assert_eq!(choice(&one, "http://x.test/"), Some("http://a:1"));
        assert_eq!(choice(&one, "https://x.test/"), None);
        assert_eq!(
            choice(&proxies(&[("HTTP_PROXY", "")]), "http://x.test/"),
            None
        );
    }

    #[test]
    fn this_machine_needs_no_proxy() {
        let all = proxies(&[("HTTP_PROXY", "p:1"), ("HTTPS_PROXY", "p:1")]);
        for url in [
            "http://localhost:5000/",
            "https://127.0.0.5/",
            "http://[::1]:1/",
        ] {
            assert_eq!(choice(&all, url), None, "{url}");
        }
    }

    #[test]
    fn exceptions_are_hosts_networks_and_ports() {
        let cases = [
            ("a.test", "https://a.test/", true),
            ("a.test", "https://b.a.test/", true),
            ("a.test", "https://ba.test/", false),
            (".a.test", "https://a.test/", false),
            (".a.test", "https://b.a.test/", true),
            ("*.a.test", "https://b.a.test/", true),
            ("A.Test", "https://B.a.TEST/", true),
            ("a.test:8443", "https://a.test:8443/", true),
            ("a.test:8443", "https://a.test/", false),
            ("10.0.0.0/8", "https://10.1.2.3/", true),
            ("10.0.0.0/8", "https://11.1.2.3/", false),
            ("10.1.2.3", "https://10.1.2.3:5000/", true),
            ("10.1.2.3:5000", "https://10.1.2.3/", false),
            ("fc00::/7", "https://[fd00::1]/", true),
            ("[fd00::1]:443", "https://[fd00::1]/", true),
            ("fd00::1", "https://[fd00::1]:5000/", true),
            (" x.test , a.test", "https://a.test/", true),
            ("*", "https://a.test/", true),
            ("", "https://a.test/", false),
        ];
        for (rules, url, direct) in cases {
            let found = proxies(&[("HTTPS_PROXY", "p:1"), ("no_proxy", rules)]);
            assert_eq!(choice(&found, url).is_none(), direct, "{rules:?} {url}");
        }
    }

    #[test]
    fn passwords_do_not_show() {
        assert_eq!(
            redacted_proxy("http://me:secret@p.test:3128/"),
            "http://p.test:3128"
        );
    }
}
