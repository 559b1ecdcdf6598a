//! Asking one registry, or each of several until one answers.

use std::io::Read;
use std::sync::PoisonError;
use std::time::Duration;

use kind_secret::Secret;

use super::authority;
use super::challenge;
use super::credentials::find_credentials;
use super::failure::RegistryFailure;
use super::hosts::{self, Endpoint, Purpose};
use super::{Access, Error as RegistryError};
use crate::http::{self, Failure, Method, Origin, Request, Response, Url};
use crate::{Error, Reference};

/// How often a request is sent that fails for a passing reason.
const MAX_ATTEMPTS: u32 = 4;
/// The first pause; each further one is twice as long.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// The registries that may have what a reference names.
pub(super) struct Sessions<'a> {
    sessions: Vec<Session<'a>>,
}

/// Conversation with one of them about one repository.
pub(super) struct Session<'a> {
    access: &'a Access,
    endpoint: Endpoint,
    repository: String,
    scopes: Vec<String>,
}

/// What is sent: opened again for every try.
pub(super) struct Outgoing<'a> {
    pub(super) open: &'a dyn Fn() -> Result<Box<dyn Read + 'a>, Error>,
    pub(super) size: u64,
}

/// A request before it has an address and an authorization.
pub(super) struct RequestTemplate<'a> {
    pub(super) method: Method,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Outgoing<'a>>,
}

impl RequestTemplate<'_> {
    pub(super) fn new(method: Method) -> Self {
        Self {
            method,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl<'a> Sessions<'a> {
    pub(super) fn open_sessions(
        access: &'a Access,
        reference: &Reference,
        purpose: Purpose,
    ) -> Result<Self, Error> {
        let actions = match purpose {
            Purpose::Pull { .. } => "pull",
            Purpose::Push => "pull,push",
        };
        let scope = format!("repository:{}:{actions}", reference.path());
        let endpoints = hosts::registry_endpoints(access, reference.domain(), purpose)?;
        let sessions = endpoints.into_iter().map(|endpoint| Session {
            access,
            endpoint,
            repository: reference.path().to_owned(),
            scopes: vec![scope.clone()],
        });
        Ok(Self {
            sessions: sessions.collect(),
        })
    }

    /// The registry itself.
    pub(super) fn last(self) -> Session<'a> {
        let mut sessions = self.sessions;
        sessions.pop().expect("there is always the registry itself")
    }

    /// What the first registry gives that can. Failures of the others are told if none can.
    pub(super) fn ask_in_turn<T>(
        &self,
        what: &str,
        mut send: impl FnMut(&Session<'a>) -> Result<T, RegistryFailure>,
    ) -> Result<T, Error> {
        let mut attempts = Vec::new();
        let (own, mirrors) = self
            .sessions
            .split_last()
            .expect("there is always the registry itself");
        for session in mirrors {
            match send(session) {
                Ok(answer) => return Ok(answer),
                Err(
                    RegistryFailure::Net(error)
                    | RegistryFailure::Denied(error)
                    | RegistryFailure::Missing(error),
                ) => {
                    attempts.push(error);
                }
                Err(RegistryFailure::Other(error)) => {
                    tracing::warn!(host = session.host(), %error, "a mirror is of no use");
                }
            }
        }
        match send(own) {
            Ok(answer) => Ok(answer),
            Err(RegistryFailure::Net(last)) => Err(RegistryError::Unreachable {
                what: what.to_owned(),
                attempts,
                last: Box::new(last),
            }
            .into()),
            Err(failure) => Err(own.failure(what, failure)),
        }
    }
}

impl Session<'_> {
    pub(super) fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// Whatever a fault of this registry means to the user.
    pub(super) fn failure(&self, what: &str, failure: RegistryFailure) -> Error {
        let (what, host) = (what.to_owned(), self.host().to_owned());
        let error = match failure {
            RegistryFailure::Net(last) => RegistryError::Unreachable {
                what,
                attempts: Vec::new(),
                last: Box::new(last),
            },
            RegistryFailure::Denied(answer) => {
                let found = find_credentials(self.access, &host, &self.repository);
                let known = match found {
                    Ok(found) => found.is_some(),
                    // A stranger was denied, because the user's credentials could not be had.
                    Err(error) => return error.into(),
                };
                let answer = Box::new(answer);
                RegistryError::Denied {
                    known,
                    what,
                    host,
                    answer,
                }
            }
            RegistryFailure::Missing(_) => RegistryError::NotFound { what, host },
            RegistryFailure::Other(error) => return error,
        };
        error.into()
    }

    /// Also asks to be let into another repository of the registry.
    pub(super) fn and_pull_from(&mut self, repository: &str) {
        let scope = format!("repository:{repository}:pull");
        if !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
    }

    /// Asks for something below the repository, for example `manifests/v1`.
    pub(super) fn send_request(
        &self,
        path: &str,
        template: &RequestTemplate<'_>,
    ) -> Result<Response, RegistryFailure> {
        let text = format!("{}/{}/{path}", self.base_url()?, self.repository);
        let mut url = Url::parse(&text).map_err(|reason| http::Error::address(&text, reason))?;
        if let Some(registry) = &self.endpoint.stands_for {
            url = url.with_query("ns", registry);
        }
        self.send_to(&url, template)
    }

    /// Asks for an address that the registry gave. Passing failures are tried again.
    pub(super) fn send_to(
        &self,
        url: &Url,
        template: &RequestTemplate<'_>,
    ) -> Result<Response, RegistryFailure> {
        let mut pause = RETRY_INTERVAL;
        for _ in 1..MAX_ATTEMPTS {
            match self.send_authorized(url, template) {
                Err(RegistryFailure::Net(error)) if error.is_transient() => {
                    tracing::debug!(%error, failure = %error.failure, "trying again");
                }
                other => return other,
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        self.send_authorized(url, template)
    }

    fn send_authorized(
        &self,
        url: &Url,
        template: &RequestTemplate<'_>,
    ) -> Result<Response, RegistryFailure> {
        let key = (self.endpoint.url.to_string(), self.scopes.join(" "));
        let origin = self.origin();
        let granted = {
            let granted = self.access.granted.lock();
            let granted = granted.unwrap_or_else(PoisonError::into_inner);
            granted.get(&key).cloned().filter(|_| origin.owns(url))
        };
        let response = self.send_once(url, template, granted.as_ref())?;
        // Who asks may be somebody that a redirect has led to.
        if response.status != 401 || !origin.owns(url) || !origin.owns(&response.url) {
            return self.classify_response(response);
        }
        let challenges: Vec<_> = response
            .headers("www-authenticate")
            .flat_map(challenge::parse_challenges)
            .collect();
        let granted = authority::answer_challenge(
            self.access,
            &self.endpoint,
            &challenges,
            &self.repository,
            &self.scopes,
        )?;
        let Some(grant) = granted else {
            return self.classify_response(response);
        };
        tracing::debug!(host = self.host(), known = grant.known, "authorized");
        let response = self.send_once(url, template, Some(&grant.value))?;
        if response.status != 401 {
            let mut granted = self
                .access
                .granted
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            granted.insert(key, grant.value);
        }
        self.classify_response(response)
    }

    /// What is meant for the registry may be sent there.
    fn origin(&self) -> Origin {
        Origin::of(&self.endpoint.url).or_plain(self.endpoint.or_plain)
    }

    fn send_once(
        &self,
        url: &Url,
        template: &RequestTemplate<'_>,
        authorization: Option<&Secret>,
    ) -> Result<Response, RegistryFailure> {
        let mut request = Request::new(template.method, url.clone());
        if self.origin().owns(url) {
            request = request.files(&self.endpoint.files);
            for (name, value) in &self.endpoint.headers {
                request = request.header(name, value);
            }
        }
        for (name, value) in &template.headers {
            request = request.header(name, value);
        }
        if let Some(value) = authorization {
            request = request.header("authorization", value.expose());
        }
        let client = &self.access.client;
        Ok(match &template.body {
            None => client.send_request(request)?,
            Some(outgoing) => {
                let mut body = (outgoing.open)()?;
                client.send_request(request.body(&mut body, outgoing.size))?
            }
        })
    }

    fn classify_response(&self, response: Response) -> Result<Response, RegistryFailure> {
        match response.status {
            // A part that lies outside of what there is: whoever asked for a part knows what to do.
            416 => Ok(response),
            _ => response.checked().map_err(|error| match error.status() {
                Some(404) => RegistryFailure::Missing(error),
                Some(401 | 403) => RegistryFailure::Denied(error),
                _ => RegistryFailure::Net(error),
            }),
        }
    }

    /// The address of the registry. One on this machine may have no encryption, which shows when it is
    /// asked for the first time.
    fn base_url(&self) -> Result<Url, RegistryFailure> {
        let secure = &self.endpoint.url;
        if !self.endpoint.or_plain {
            return Ok(secure.clone());
        }
        let reached = || {
            self.access
                .reached
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(url) = reached().get(secure.host_and_port()) {
            return Ok(url.clone());
        }
        let url = self.find_base(secure)?;
        reached().insert(secure.host_and_port().to_owned(), url.clone());
        Ok(url)
    }

    fn find_base(&self, secure: &Url) -> Result<Url, RegistryFailure> {
        let ping = |base: &Url| {
            let url = Url::parse(&format!("{base}/")).expect("it was an address without the slash");
            let request = Request::new(Method::Get, url).files(&self.endpoint.files);
            self.access.client.send_request(request)
        };
        let error = match ping(secure) {
            Ok(_) => return Ok(secure.clone()),
            Err(error) => error,
        };
        let text = secure.to_string().replacen("https://", "http://", 1);
        let plain = Url::parse(&text).expect("it differs in its scheme only");
        match error.failure {
            Failure::Tls(_) | Failure::Broken(_) | Failure::Protocol(_) if ping(&plain).is_ok() => {
                Ok(plain)
            }
            _ => Err(error.into()),
        }
    }
}
