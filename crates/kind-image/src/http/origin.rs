//! To whom a request may go on, when a server names another place.
//!
//! A server names another place in three ways: by a redirect, by where to send an upload, and, once redirected, by asking
//! who is there. One rule is for all of them: what is secret goes to the origin that it was meant for, and nothing
//! goes from a secure place to an insecure one.

use super::error::Failure;
use super::url::Url;

/// Scheme, host and port that credentials, headers and certificates are meant for.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    url: Url,
    or_plain: bool,
}

/// What may go along to another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Everything: it is the same origin.
    Whole,
    /// Nothing that says who asks, or was configured for the origin.
    Bare,
}

/// Headers that say what is wanted or sent, and nothing else. Others may be secrets, whatever they are called.
const BARE_HEADERS: [&str; 5] = [
    "accept",
    "content-length",
    "content-type",
    "if-range",
    "range",
];

impl Origin {
    pub(crate) fn of(url: &Url) -> Self {
        Self {
            url: url.clone(),
            or_plain: false,
        }
    }

    /// The same place without encryption is this origin too.
    pub(crate) fn or_plain(self, or_plain: bool) -> Self {
        Self { or_plain, ..self }
    }

    /// Whether an address is of this origin: what is secret may be sent there, and who asks there may be answered.
    pub(crate) fn owns(&self, url: &Url) -> bool {
        let same_place = || url.host_and_port() == self.url.host_and_port();
        url.same_origin(&self.url) || (self.or_plain && same_place())
    }

    /// The place that an answer from this origin names, and what may go along.
    ///
    /// # Errors
    /// It is no address, or less secure.
    pub(crate) fn follow(&self, location: &str) -> Result<(Url, Passage), Failure> {
        let next = self.url.join(location).map_err(|reason| {
            Failure::Redirect(format!("it leads to an address that is none: {reason}"))
        })?;
        if self.url.is_https() && !next.is_https() {
            let reason = format!("it leads to {next}, which is not secure");
            return Err(Failure::Redirect(reason));
        }
        let passage = if self.owns(&next) {
            Passage::Whole
        } else {
            Passage::Bare
        };
        Ok((next, passage))
    }
}

impl Passage {
    /// Leaves out the headers that do not go along.
    pub(crate) fn strip_headers(self, headers: &mut Vec<(String, String)>) {
        let is_bare = |name: &str| {
            BARE_HEADERS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        headers.retain(|(name, _)| self == Self::Whole || is_bare(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn secrets_stay_with_their_origin() {
        let origin = Origin::of(&url("https://a.test/v2/x"));
        for (location, expected) in [
            ("/y", Passage::Whole),
            ("y", Passage::Whole),
            ("https://A.test:443/y", Passage::Whole),
            ("//a.test/y", Passage::Whole),
            ("https://a.test:444/y", Passage::Bare),
            ("https://b.a.test/y", Passage::Bare),
            ("//b.test/y", Passage::Bare),
        ] {
            let (_, passage) = origin.follow(location).unwrap();
            assert_eq!(passage, expected, "{location}");
        }
    }

    #[test]
    fn nothing_goes_from_a_secure_place_to_an_insecure_one() {
        let origin = Origin::of(&url("https://a.test/")).or_plain(true);
        for location in [
            "http://a.test/",
            "http://b.test/",
            "ftp://a.test/",
            "file:///x",
        ] {
            let failure = origin.follow(location).unwrap_err();
            assert!(matches!(failure, Failure::Redirect(_)), "{location}");
        }
        let plain = Origin::of(&url("http://a.test/"));
        assert_eq!(plain.follow("http://b.test/").unwrap().1, Passage::Bare);
        assert_eq!(plain.follow("https://a.test/").unwrap().1, Passage::Bare);
    }

    #[test]
    fn this_machine_may_have_no_encryption() {
        let (secure, plain) = (
            url("https://localhost:5000/v2"),
            url("http://localhost:5000/"),
        );
        assert!(!Origin::of(&secure).owns(&plain));
        assert!(Origin::of(&secure).or_plain(true).owns(&plain));
        let other = url("http://localhost:5001/");
        assert!(!Origin::of(&secure).or_plain(true).owns(&other));
    }

    #[test]
    fn headers_of_unknown_names_are_secrets() {
        let headers = ["Accept", "x-token", "cookie", "Authorization", "range"];
        let headers = headers
            .map(|name| (name.to_owned(), "v".to_owned()))
            .to_vec();
        let mut bare = headers.clone();
        Passage::Bare.strip_headers(&mut bare);
        let names: Vec<_> = bare.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Accept", "range"]);
        let mut whole = headers.clone();
        Passage::Whole.strip_headers(&mut whole);
        assert_eq!(whole, headers);
    }
}
