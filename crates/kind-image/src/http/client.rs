//! Sending a request and reading its answer.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::http::{self, HeaderMap};
use ureq::{Agent, BodyReader, Proxy, SendBody};

use super::error::{Error, Failure, TimeoutPhase};
use super::origin::{Origin, Passage};
use super::proxies::{self, Proxies};
use super::trust::{Files, Trust};
use super::url::Url;

/// More redirects than this are a circle.
const MAX_REDIRECTS: usize = 10;
/// What is read of an answer that says no.
const MAX_EXPLANATION: u64 = 16 << 10;
const BUFFER: usize = 256 << 10;

/// How long the parts of a request may take. A transfer may take as long as it wants while data comes.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For finding a host's address, and then for a connection with all that belongs to it.
    pub connection: Duration,
    /// For the beginning of the answer.
    pub answer: Duration,
    /// Between two pieces of what is transferred.
    pub data: Duration,
}

impl Timeouts {
    /// Waits so long for each part.
    pub fn for_each_phase(limit: Duration) -> Self {
        Self {
            connection: limit,
            answer: limit,
            data: limit,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::for_each_phase(Duration::from_secs(30))
    }
}

/// Sends requests; keeps connections open for the next ones. One serves all threads.
#[derive(Debug, Default)]
pub struct Client {
    proxies: Proxies,
    timeouts: Timeouts,
    trust: Trust,
    agents: Mutex<HashMap<Key, Agent>>,
}

/// What makes two connections different beside their host.
type Key = (Option<String>, Files);

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request in the making.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    /// What is sent, and how many bytes that is.
    pub(crate) body: Option<(&'a mut dyn Read, u64)>,
    pub(crate) files: Files,
}

impl<'a> Request<'a> {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
            files: Files::default(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A body of exactly `size` bytes.
    pub(crate) fn body(mut self, body: &'a mut dyn Read, size: u64) -> Self {
        self.body = Some((body, size));
        self
    }

    /// Authorities and client certificates beside those of the system.
    pub(crate) fn files(mut self, files: &Files) -> Self {
        self.files = files.clone();
        self
    }
}

impl Client {
    /// A client that takes these proxies.
    pub fn new(proxies: Proxies) -> Self {
        Self {
            proxies,
            ..Self::default()
        }
    }

    /// Waits as long as this.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sends a request and follows where the answer leads, as far as [`Origin`] lets it.
    pub(crate) fn send_request(&self, mut request: Request<'_>) -> Result<Response, Error> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_once(&mut request)?;
            let Some((next, passage)) = response
                .redirect_target()
                .map_err(|failure| response.error(failure))?
            else {
                return Ok(response);
            };
            if !matches!(request.method, Method::Get | Method::Head) {
                let reason = format!("{} is not sent again to {next}", request.method.name());
                return Err(response.error(Failure::Redirect(reason)));
            }
            passage.strip_headers(&mut request.headers);
            if passage == Passage::Bare {
                // Certificates were configured for the first host only.
                request.files = Files::default();
            }
            request.url = next;
        }
        let reason = format!("more than {MAX_REDIRECTS} of them");
        let method = request.method.name();
        Err(Error::new(
            method,
            &request.url,
            None,
            Failure::Redirect(reason),
        ))
    }

    fn send_once(&self, request: &mut Request<'_>) -> Result<Response, Error> {
        let (method, url) = (request.method.name(), request.url.clone());
        let proxy = self.proxies.proxy_for(&url);
        let shown = proxy.map(proxies::redacted_proxy);
        let fail = |failure| Error::new(method, &url, shown.as_deref(), failure);
        let agent = self.build_agent(proxy, &request.files).map_err(fail)?;
        let mut building = http::Request::builder().method(method).uri(url.uri());
        for (name, value) in &request.headers {
            building = building.header(name, value);
        }
        let malformed = |error: http::Error| fail(Failure::Protocol(error.to_string()));
        tracing::debug!(method, %url, proxy = shown.as_deref(), "request");
        let sent = match &mut request.body {
            Some((body, size)) => {
                let building = building.header("content-length", *size);
                let body = SendBody::from_reader(*body);
                agent.run(building.body(body).map_err(malformed)?)
            }
            None => agent.run(building.body(()).map_err(malformed)?),
        };
        let (head, body) = sent
            .map_err(|error| fail(request_failure(error)))?
            .into_parts();
        tracing::debug!(status = head.status.as_u16(), %url, "answer");
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.into_reader(),
            proxy: shown,
            method,
            url,
        })
    }

    fn build_agent(&self, proxy: Option<&str>, files: &Files) -> Result<Agent, Failure> {
        let key = (proxy.map(str::to_owned), files.clone());
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let through = proxy
            .map(Proxy::new)
            .transpose()
            .map_err(|_| Failure::Proxy("its address is malformed".to_owned()))?;
        let Timeouts {
            connection,
            answer,
            data,
        } = self.timeouts;
        let agent: Agent = Agent::config_builder()
            .proxy(through)
            .tls_config(self.trust.config(files)?)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("kind/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_resolve(Some(connection))
            .timeout_connect(Some(connection))
            .timeout_recv_response(Some(answer))
            .timeout_per_read(Some(data))
            .timeout_per_write(Some(data))
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .build()
            .into();
        agents.insert(key, agent.clone());
        Ok(agent)
    }
}

/// An answer; its body is read on demand.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Where it came from, after redirects.
    pub(crate) url: Url,
    headers: HeaderMap,
    body: BodyReader<'static>,
    proxy: Option<String>,
    method: &'static str,
}

impl Response {
    /// The first value of that name, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a header.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// The answer if it is a good one; otherwise what the server said about it.
    pub(crate) fn checked(mut self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let mut body = Vec::new();
        let _ = (&mut self.body)
            .take(MAX_EXPLANATION)
            .read_to_end(&mut body);
        let code = self.status;
        let message = read_explanation(&body);
        Err(self.error(Failure::Status { code, message }))
    }

    /// Reads a part of the body; 0 is its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let read = self.body.read(buffer);
        read.map_err(|error| self.error(request_failure(error.into())))
    }

    /// The whole body.
    ///
    /// # Errors
    /// It is larger than `limit`, or the connection breaks.
    pub(crate) fn bytes(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = (&mut self.body).take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.error(request_failure(error.into())))?;
        if bytes.len() as u64 > limit {
            return Err(self.error(Failure::TooLarge(limit)));
        }
        Ok(bytes)
    }

    /// A failure of this exchange.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        Error::new(self.method, &self.url, self.proxy.as_deref(), failure)
    }

    fn redirect_target(&self) -> Result<Option<(Url, Passage)>, Failure> {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let location = self
            .header("location")
            .ok_or_else(|| Failure::Redirect("it leads nowhere".to_owned()))?;
        Origin::of(&self.url).follow(location).map(Some)
    }
}

fn request_failure(error: ureq::Error) -> Failure {
    use ureq::{Error as E, Timeout};
    match error {
        E::HostNotFound => Failure::Lookup("it has no address".to_owned()),
        E::ConnectProxyFailed(reason) => Failure::Proxy(reason),
        E::InvalidProxyUrl => Failure::Proxy("its address is malformed".to_owned()),
        E::Timeout(Timeout::Resolve) => Failure::Timeout(TimeoutPhase::Lookup),
        E::Timeout(Timeout::Connect) => Failure::Timeout(TimeoutPhase::Connection),
        E::Timeout(Timeout::PerRead | Timeout::PerWrite) => Failure::Timeout(TimeoutPhase::Data),
        E::Timeout(_) => Failure::Timeout(TimeoutPhase::Answer),
        E::Rustls(error) => tls_failure(&error),
        E::Tls(reason) => Failure::Tls(reason.to_owned()),
        E::Io(error) => io_failure(error),
        E::BadUri(reason) => Failure::Address(reason),
        E::BodyStalled => Failure::Broken("it ended too early".to_owned()),
        other => Failure::Protocol(other.to_string()),
    }
}

fn io_failure(error: std::io::Error) -> Failure {
    use std::io::ErrorKind;
    if error
        .get_ref()
        .is_some_and(|inner| inner.is::<ureq::Error>())
    {
        let inner = error.into_inner().and_then(|inner| inner.downcast().ok());
        return inner.map_or(Failure::Broken(String::new()), |inner| {
            request_failure(*inner)
        });
    }
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_failure(error);
    }
    let text = error.to_string();
    // The standard library has no kind for this.
    if let Some(reason) = text.strip_prefix("failed to lookup address information: ") {
        return Failure::Lookup(reason.to_owned());
    }
    match error.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Failure::Broken(text),
        _ => Failure::Connect(error),
    }
}

fn tls_failure(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::InvalidCertificate(reason) => Failure::Certificate(format!("{reason}")),
        other => Failure::Tls(other.to_string()),
    }
}

/// What a server says about a refusal: the message of a JSON document, or a short plain text.
fn read_explanation(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Document {
        #[serde(default)]
        errors: Vec<One>,
        #[serde(flatten)]
        own: One,
    }
    #[derive(serde::Deserialize)]
    struct One {
        #[serde(default, alias = "details", alias = "error_description")]
        message: Option<String>,
    }
    let text = match serde_json::from_slice::<Document>(body) {
        Ok(document) => {
            let first = document.errors.into_iter().find_map(|one| one.message);
            first.or(document.own.message).unwrap_or_default()
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let line = text.lines().next().unwrap_or_default().trim();
    if line.starts_with('<') {
        return String::new();
    }
    let plain = line.chars().filter(|character| !character.is_control());
    plain.take(300).collect()
}
