//! Addresses of things on the network.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;

/// An `http` or `https` address.
///
/// Shown, it has no query: queries of signed addresses are secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    uri: Uri,
    host: String,
}

impl Url {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with the text, in a few words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "it is malformed")?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("it begins with neither `http://` nor `https://`");
        }
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("it holds a user name; put credentials into docker's configuration");
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err("it names no host");
        }
        Ok(Self { uri, host })
    }

    /// The address that a `Location` header means, seen from this one: RFC 3986, section 5.2. The crate `url` would do it
    /// with tables of names of all languages, which are larger than everything else here that reads addresses.
    pub(crate) fn join(&self, location: &str) -> Result<Self, &'static str> {
        let location = location.split('#').next().unwrap_or_default();
        let (scheme, authority) = (self.scheme(), self.host_and_port());
        if location.starts_with("//") {
            return Self::parse(&format!("{scheme}:{location}"));
        }
        let (path, query) = match location.find('?') {
            Some(start) => location.split_at(start),
            None => (location, ""),
        };
        if path.contains("://") {
            return Self::parse(location);
        }
        let own = self.uri.path();
        let path = match path.chars().next() {
            Some('/') => without_dots(path),
            Some(_) => {
                let directory = own.rsplit_once('/').map_or("", |(head, _)| head);
                without_dots(&format!("{directory}/{path}"))
            }
            None => own.to_owned(),
        };
        let query = match self.uri.query() {
            Some(own) if location.is_empty() => format!("?{own}"),
            _ => query.to_owned(),
        };
        Self::parse(&format!("{scheme}://{authority}{path}{query}"))
    }

    /// The same address with one more pair in its query; the value is escaped.
    pub(crate) fn with_query(&self, key: &str, value: &str) -> Self {
        let text = self.uri.to_string();
        let separator = if self.uri.query().is_some() { '&' } else { '?' };
        let text = format!("{text}{separator}{key}={}", percent_encode(value));
        let uri = text
            .parse()
            .expect("an escaped value keeps an address well-formed");
        Self {
            uri,
            host: self.host.clone(),
        }
    }

    /// The beginning of a form's text, which is written like a query.
    pub(crate) const fn form() -> Form {
        Form(String::new())
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme() == "https"
    }

    /// Host without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port that it names, or its scheme's.
    pub(crate) fn port(&self) -> u16 {
        let default = if self.is_https() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(default)
    }

    /// Scheme, host and port are the same: what is secret there may be sent there again.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        let of = |url: &Self| (url.is_https(), url.host.to_lowercase(), url.port());
        of(self) == of(other)
    }

    /// The host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    fn scheme(&self) -> &str {
        self.uri.scheme_str().unwrap_or_default()
    }

    /// Host and, if it is written, port.
    pub(crate) fn host_and_port(&self) -> &str {
        let authority = self.uri.authority();
        authority.map_or("", |authority| authority.as_str())
    }
}

/// A path without the parts that stand for a directory or the one above it.
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        parts.push("");
    }
    format!("/{}", parts.join("/"))
}

/// Text of a form in the making.
pub(crate) struct Form(String);

impl Form {
    /// Adds a pair.
    pub(crate) fn add_pair(mut self, key: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(key);
        self.0.push('=');
        self.0.push_str(&percent_encode(value));
        self
    }

    /// The whole text, escaped.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Whether a host, without a port, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let by_address = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    by_address || host.eq_ignore_ascii_case("localhost")
}

/// Percent-encodes everything but what never needs it.
fn percent_encode(value: &str) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, authority) = (self.scheme(), self.host_and_port());
        write!(formatter, "{scheme}://{authority}{}", self.uri.path())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_seen_from_where_they_were_told() {
        let base = Url::parse("https://registry.test:5000/v2/a/blobs/uploads/?x=1").unwrap();
        let cases = [
            ("https://cdn.test/x", "https://cdn.test/x"),
            ("//cdn.test/x", "https://cdn.test/x"),
            ("/v2/b", "https://registry.test:5000/v2/b"),
            ("id", "https://registry.test:5000/v2/a/blobs/uploads/id"),
        ];
        for (location, expected) in cases {
            assert_eq!(base.join(location).unwrap().to_string(), expected);
        }
        assert!(base.join("ftp://x/y").is_err());
        assert!(base.join("file:///etc/passwd").is_err());
    }

    /// The examples of RFC 3986, section 5.4, but for those with another scheme or a part that is no part of an address.
    #[test]
    fn references_are_resolved_as_the_standard_says() {
        let base = Url::parse("http://a/b/c/d?q").unwrap();
        for (location, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
            ("g?y/../x#s", "http://a/b/c/g?y/../x"),
            ("#s", "http://a/b/c/d?q"),
            ("", "http://a/b/c/d?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
        ] {
            let joined = base.join(location).unwrap();
            assert_eq!(joined.uri().to_string(), expected, "{location}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let url = Url::parse("https://cdn.test/blob?signature=secret").unwrap();
        assert_eq!(url.to_string(), "https://cdn.test/blob");
        assert_eq!(format!("{url:?}"), "https://cdn.test/blob");
        assert!(Url::parse("https://user:secret@host/x").is_err());
    }

    #[test]
    fn origins_have_scheme_host_and_port() {
        let url = |text| Url::parse(text).unwrap();
        assert!(url("https://a.test/x").same_origin(&url("https://A.test:443/y")));
        assert!(!url("https://a.test/x").same_origin(&url("http://a.test/x")));
        assert!(!url("https://a.test/x").same_origin(&url("https://a.test:444/x")));
        assert!(!url("https://a.test/x").same_origin(&url("https://b.a.test/x")));
    }

    #[test]
    fn values_of_queries_are_escaped() {
        let url = Url::parse("https://auth.test/token?service=x").unwrap();
        let asked = url.with_query("scope", "repository:a/b:pull&x=y");
        assert_eq!(
            asked.uri().query(),
            Some("service=x&scope=repository%3Aa%2Fb%3Apull%26x%3Dy")
        );
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for text in [
            "http://127.0.0.2:5000/",
            "http://[::1]:5000/",
            "http://LOCALHOST/",
        ] {
            assert!(Url::parse(text).unwrap().is_loopback(), "{text}");
        }
        assert!(!Url::parse("http://localhost.test/").unwrap().is_loopback());
    }
}
