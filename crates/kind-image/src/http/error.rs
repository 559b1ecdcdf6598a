//! What can go wrong with a request.

use std::fmt;

use super::Url;
use crate::Code;

/// A request that failed: Display says what was asked for and through which proxy, `source` why, `remedy`
/// what to do.
#[derive(Debug, thiserror::Error)]
#[error("{method} {url}{}", Via(.proxy.as_deref()))]
pub struct Error {
    /// The request's method.
    pub method: &'static str,
    /// Address, without its query.
    pub url: String,
    /// The proxy the request took, without its password.
    pub proxy: Option<String>,
    /// Why it failed.
    #[source]
    pub failure: Failure,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The address is none.
    #[error("invalid address: {0}")]
    Address(String),
    /// The host's name has no address.
    #[error("the name of the host cannot be resolved: {0}")]
    Lookup(String),
    /// No connection.
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Something took too long.
    #[error("no {0} in time")]
    Timeout(TimeoutPhase),
    /// The server's certificate is not trusted.
    #[error("its certificate is not trusted: {0}")]
    Certificate(String),
    /// No secure connection for another reason.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// Certificates or keys of this machine cannot be read.
    #[error("{0}")]
    Trust(String),
    /// The proxy refused.
    #[error("the proxy does not connect: {0}")]
    Proxy(String),
    /// A redirect that is not followed.
    #[error("redirect not followed: {0}")]
    Redirect(String),
    /// An answer that says no.
    #[error("the server answered {code}{}", Said(.message))]
    Status {
        /// The status code.
        code: u16,
        /// What the server said about it.
        message: String,
    },
    /// An answer that is larger than it may be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// The answer is not what HTTP allows.
    #[error("the answer cannot be understood: {0}")]
    Protocol(String),
}

/// A part of a request that has a time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutPhase {
    /// Finding the host's address.
    Lookup,
    /// The connection, with its encryption and what a proxy does.
    Connection,
    /// The answer's beginning.
    Answer,
    /// More of what is being transferred.
    Data,
}

impl fmt::Display for TimeoutPhase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Lookup => "address of the host",
            Self::Connection => "connection",
            Self::Answer => "answer",
            Self::Data => "data",
        })
    }
}

struct Via<'a>(Option<&'a str>);

impl fmt::Display for Via<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(proxy) => write!(formatter, " through proxy {proxy}"),
            None => Ok(()),
        }
    }
}

struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            text => write!(formatter, ": {text}"),
        }
    }
}

impl Error {
    pub(super) fn new(
        method: &'static str,
        url: &Url,
        proxy: Option<&str>,
        failure: Failure,
    ) -> Self {
        Self {
            method,
            url: url.to_string(),
            proxy: proxy.map(str::to_owned),
            failure,
        }
    }

    /// A text that is no address.
    pub(crate) fn address(text: &str, reason: &str) -> Self {
        // A query may be a secret even of an address that is malformed elsewhere.
        let shown = text.split('?').next().unwrap_or_default();
        Self {
            method: "GET",
            url: shown.to_owned(),
            proxy: None,
            failure: Failure::Address(reason.to_owned()),
        }
    }

    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        match self.failure {
            Failure::Address(_) => Code::DownloadAddress,
            Failure::Lookup(_) => Code::DownloadLookup,
            Failure::Connect(_) => Code::DownloadConnect,
            Failure::Broken(_) => Code::DownloadBroken,
            Failure::Timeout(_) => Code::DownloadTimeout,
            Failure::Certificate(_) => Code::DownloadCertificate,
            Failure::Tls(_) | Failure::Trust(_) => Code::DownloadTls,
            Failure::Proxy(_) => Code::DownloadProxy,
            Failure::Redirect(_) => Code::DownloadRedirect,
            Failure::Status { .. } => Code::DownloadStatus,
            Failure::TooLarge(_) => Code::DownloadTooLarge,
            Failure::Protocol(_) => Code::DownloadProtocol,
        }
    }

    /// What the user can do, if anything is known.
    pub fn remedy(&self) -> Option<String> {
        let proxied = self.proxy.is_some();
        Some(match &self.failure {
            Failure::Proxy(_) => PROXY.to_owned(),
            Failure::Lookup(_) | Failure::Connect(_) | Failure::Timeout(_) if proxied => {
                PROXY.to_owned()
            }
            Failure::Lookup(_) => "check the network and its name servers; where only a proxy \
                                   leads outside, set HTTPS_PROXY"
                .to_owned(),
            Failure::Connect(_) | Failure::Timeout(_) => {
                "check that the server runs and that no firewall is in the way; where only a \
                 proxy leads outside, set HTTPS_PROXY"
                    .to_owned()
            }
            Failure::Certificate(_) => format!(
                "if an authority of your own signed it, add that authority to the system's \
                 certificates, name its file in SSL_CERT_FILE, or put it at \
                 /etc/docker/certs.d/{}/ca.crt",
                self.authority()
            ),
            Failure::Broken(_) => "try again".to_owned(),
            Failure::Status { code: 429, .. } => {
                "wait, or log in: the server limits how much it serves".to_owned()
            }
            _ => return None,
        })
    }

    /// Whether the same request may go well a moment later.
    pub fn is_transient(&self) -> bool {
        match self.failure {
            Failure::Broken(_) | Failure::Timeout(TimeoutPhase::Answer | TimeoutPhase::Data) => {
                true
            }
            Failure::Status { code, .. } => matches!(code, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The status of an answer that says no.
    pub fn status(&self) -> Option<u16> {
        match self.failure {
            Failure::Status { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Host and port of the address.
    fn authority(&self) -> &str {
        let rest = self.url.split("://").nth(1).unwrap_or(&self.url);
        rest.split('/').next().unwrap_or(rest)
    }
}

const PROXY: &str = "check HTTP_PROXY and HTTPS_PROXY, or add the host to NO_PROXY if it is \
                     reached directly";
