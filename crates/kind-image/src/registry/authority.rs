//! Getting what a registry wants to see before it answers.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kind_secret::Secret;
use serde::Deserialize;

use super::challenge::Challenge;
use super::credentials::{self, Credentials};
use super::failure::RegistryFailure;
use super::hosts::Endpoint;
use super::{Access, Error};
use crate::http::{Files, Method, Origin, Request, Url};

const MAX_TOKEN: u64 = 1 << 20;
const CLIENT_ID: &str = "kind";

/// A value for `Authorization`.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) value: Secret,
    /// Whether the user's credentials went into it.
    pub(super) known: bool,
}

/// Answers the challenges of a registry; `None` if there is nothing to answer with.
pub(super) fn answer_challenge(
    access: &Access,
    endpoint: &Endpoint,
    challenges: &[Challenge],
    repository: &str,
    scopes: &[String],
) -> Result<Option<Grant>, RegistryFailure> {
    let of = |scheme: &str| challenges.iter().find(|it| it.scheme == scheme);
    let found = credentials::find_credentials(access, &endpoint.host, repository);
    // What is public needs nobody's credentials.
    let (credentials, failure) = match found {
        Ok(found) => (found, None),
        Err(error) => (None, Some(error)),
    };
    if let Some(error) = &failure {
        tracing::warn!(%error, host = endpoint.host, "asks as a stranger");
    }
    if let Some(Credentials::Bearer(token)) = &credentials {
        return Ok(Some(Grant {
            value: bearer_header(token),
            known: true,
        }));
    }
    if let Some(challenge) = of("bearer") {
        let known = credentials.is_some();
        let token = Token {
            access,
            endpoint,
            challenge,
            scopes,
        };
        let token = token.get(credentials);
        let value = token.map_err(|refused| failure.map_or(refused, RegistryFailure::from))?;
        let value = bearer_header(&value);
        return Ok(Some(Grant { value, known }));
    }
    if let Some(error) = failure {
        return Err(error.into());
    }
    Ok(match (of("basic"), credentials) {
        (Some(_), Some(Credentials::Password { user, password })) => Some(Grant {
            value: basic_header(&user, &password),
            known: true,
        }),
        _ => None,
    })
}

fn basic_header(user: &str, password: &Secret) -> Secret {
    let login = format!("{user}:{}", password.expose());
    let login = Secret::new(BASE64_STANDARD.encode(login));
    Secret::new(format!("Basic {}", login.expose()))
}

fn bearer_header(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.expose()))
}

/// A token from the service that a registry names.
struct Token<'a> {
    access: &'a Access,
    endpoint: &'a Endpoint,
    challenge: &'a Challenge,
    scopes: &'a [String],
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

impl Token<'_> {
    fn get(&self, credentials: Option<Credentials>) -> Result<Secret, RegistryFailure> {
        let realm = self.realm_url()?;
        if credentials.is_some() && !realm.is_https() && !self.may_be_plain(&realm) {
            let reason = format!("they would go to {realm}, which is not secure");
            return Err(self.refusal(reason).into());
        }
        let answer = match credentials {
            Some(Credentials::Identity(token)) => self.exchange_identity(realm, token.expose())?,
            Some(Credentials::Password { user, password }) => {
                let realm = realm.with_query("account", &user);
                self.request_token(realm, Some(basic_header(&user, &password)))?
            }
            _ => self.request_token(realm, None)?,
        };
        let answer: Answer = serde_json::from_slice(&answer)
            .map_err(|error| self.refusal(format!("the token service's answer: {error}")))?;
        let token = answer.token.or(answer.access_token);
        let token = token.filter(|token| !token.is_empty());
        let missing = || self.refusal("the token service gave no token".to_owned());
        Ok(token.map(Secret::new).ok_or_else(missing)?)
    }

    fn realm_url(&self) -> Result<Url, Error> {
        let realm = self
            .challenge
            .parameters
            .get("realm")
            .map_or("", String::as_str);
        Url::parse(realm).map_err(|reason| {
            self.refusal(format!("it names the token service {realm:?}: {reason}"))
        })
    }

    /// A registry without encryption may have a token service without.
    fn may_be_plain(&self, realm: &Url) -> bool {
        realm.is_loopback() || !self.endpoint.url.is_https()
    }

    fn refusal(&self, reason: String) -> Error {
        Error::Credentials {
            host: self.endpoint.host.clone(),
            reason,
        }
    }

    fn service(&self) -> Option<&str> {
        self.challenge.parameters.get("service").map(String::as_str)
    }

    fn request_token(
        &self,
        realm: Url,
        authorization: Option<Secret>,
    ) -> Result<Vec<u8>, RegistryFailure> {
        let mut url = realm;
        if let Some(service) = self.service() {
            url = url.with_query("service", service);
        }
        for scope in self.scopes {
            url = url.with_query("scope", scope);
        }
        let mut request = Request::new(Method::Get, url.clone()).files(&self.files(&url));
        if let Some(value) = authorization {
            request = request.header("authorization", value.expose());
        }
        self.send_request(request)
    }

    /// Buys a token with an identity token, which takes a form (OAuth 2).
    fn exchange_identity(&self, realm: Url, identity: &str) -> Result<Vec<u8>, RegistryFailure> {
        let scope = self.scopes.join(" ");
        let pairs = [
            ("grant_type", "refresh_token"),
            ("service", self.service().unwrap_or_default()),
            ("client_id", CLIENT_ID),
            ("scope", &scope),
            ("refresh_token", identity),
        ];
        let form = pairs
            .iter()
            .fold(Url::form(), |form, (key, value)| form.add_pair(key, value));
        let form = form.finish();
        let mut body = form.as_bytes();
        let files = self.files(&realm);
        let request = Request::new(Method::Post, realm)
            .header("content-type", "application/x-www-form-urlencoded")
            .files(&files)
            .body(&mut body, form.len() as u64);
        self.send_request(request)
    }

    /// Who is trusted about the registry is so about a token service on the same host. What says who asks is for the
    /// registry alone.
    fn files(&self, url: &Url) -> Files {
        let own = &self.endpoint.files;
        if Origin::of(&self.endpoint.url).owns(url) {
            own.clone()
        } else if url.host() == self.endpoint.url.host() {
            Files {
                client: None,
                ..own.clone()
            }
        } else {
            Files::none()
        }
    }

    fn send_request(&self, request: Request<'_>) -> Result<Vec<u8>, RegistryFailure> {
        let response = self
            .access
            .client
            .send_request(request)
            .map_err(RegistryFailure::Net)?;
        let response = response.checked().map_err(|error| match error.status() {
            Some(401 | 403) => RegistryFailure::Denied(error),
            _ => RegistryFailure::Net(error),
        })?;
        response.bytes(MAX_TOKEN).map_err(RegistryFailure::Net)
    }
}
